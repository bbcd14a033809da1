// fault.hpp: places where the test build of the extension fails on purpose. In any other build they are nothing.
#ifndef VEDFOLNIR_BRIDGE_FAULT_HPP
#define VEDFOLNIR_BRIDGE_FAULT_HPP

#ifdef VEDFOLNIR_FAULTS
namespace vedfolnir
{

// The time that is spent in an entry of the wall: an armed fault strikes in there only.
class FaultScope
{
  public:
    explicit FaultScope(const char *entry);
    ~FaultScope();
    FaultScope(const FaultScope &) = delete;
    FaultScope &operator=(const FaultScope &) = delete;

  private:
    bool armed_;
};

} // namespace vedfolnir
#define VDF_FAULT_SCOPE(entry) const ::vedfolnir::FaultScope fault_scope(entry)
#else
#define VDF_FAULT_SCOPE(entry) static_cast<void>(entry)
#endif
#endif
