#include "core/template.hpp"

#include "core/error.hpp"

namespace vedfolnir
{

namespace
{

[[noreturn]] void malformed(const std::string &why)
{
    throw Error("22023", "malformed target template: " + why, "",
                "Write {column} for a column of the row, {{ and }} for the braces themselves.");
}

} // namespace

std::vector<TemplatePart> parse_template(const std::string &text)
{
    std::vector<TemplatePart> parts;
    auto literal = [&](char c) {
        if (parts.empty() || parts.back().column)
            parts.push_back({false, {}});
        parts.back().text += c;
    };
    for (size_t i = 0; i < text.size(); i++) {
        char c = text[i];
        bool doubled = i + 1 < text.size() && text[i + 1] == c;
        if ((c == '{' || c == '}') && doubled) {
            literal(c);
            i++;
        } else if (c == '{') {
            size_t end = text.find('}', i);
            if (end == std::string::npos)
                malformed("a brace is not closed");
            if (end == i + 1)
                malformed("a column name is missing");
            parts.push_back({true, text.substr(i + 1, end - i - 1)});
            i = end;
        } else if (c == '}')
            malformed("a brace is not opened");
        else
            literal(c);
    }
    if (parts.empty())
        malformed("it is empty");
    return parts;
}

} // namespace vedfolnir
