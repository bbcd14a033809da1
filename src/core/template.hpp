// template.hpp: the target of a clean-up rule, "{column}" placeholders in literal text.
#ifndef VEDFOLNIR_CORE_TEMPLATE_HPP
#define VEDFOLNIR_CORE_TEMPLATE_HPP

#include <string>
#include <vector>

namespace vedfolnir
{

struct TemplatePart
{
    bool column = false;
    std::string text;
};

// "{{" and "}}" stand for the braces themselves. Throws Error 22023 for a malformed or empty template.
std::vector<TemplatePart> parse_template(const std::string &text);

} // namespace vedfolnir
#endif
