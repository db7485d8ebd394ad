// The ActiveX control: made, described, called. One thread, the apartment's, for all of it.
#pragma once

#include <windows.h>
#include <ole2.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../wire/variants.hpp"
#include "activity.hpp"

namespace koapy {

// A function of the control failed; what it says goes to the gateway.
struct CallError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What COM's error number means, with the number.
std::string explained(HRESULT result);

class Control {
public:
    // What is called when the control fires an event: its name and its arguments, the last one first as COM has them.
    using Fired = std::function<void(const std::string& name, const DISPPARAMS& arguments)>;

    // Makes the control that is registered under a ProgID or CLSID. Throws CallError with words for the operator.
    void create(const std::wstring& id, Fired fired);
    // Lets go of it, so that it can put its things away.
    void destroy();

    // Calls a function with arguments in their own order. Throws CallError.
    Variant call(std::string_view name, std::vector<Variant> arguments);

    // A function that is called again and again, to read something, with arguments that change little.
    class Reading {
    public:
        // Throws CallError where there is no such function.
        template <class... Arguments> Reading(Control& control, std::string_view name, Arguments&&... arguments)
            : control_(control), function_(control.function(name)) {
            (arguments_.emplace_back(std::forward<Arguments>(arguments)), ...);
            std::reverse(arguments_.begin(), arguments_.end());
        }
        // The argument before the last, and so on: as COM has them.
        Variant& from_last(size_t place) { return arguments_[place]; }
        // Throws CallError.
        Variant operator()() { return control_.invoke(function_, arguments_); }

    private:
        Control& control_;
        const std::pair<const std::string, DISPID>& function_;
        std::vector<Variant> arguments_;
    };

    bool has(std::string_view name) const { return functions_.find(name) != functions_.end(); }

    // Name and signature of each, from its type library.
    const std::map<std::string, std::string>& functions() const { return signatures_; }
    const std::map<std::string, std::string>& events() const { return event_signatures_; }
    // Where it comes from, for people.
    const std::map<std::string, std::string>& about() const { return about_; }

    Activity activity;

private:
    struct Sink;
    // The name of a function, which is never freed, and its number. Throws CallError.
    const std::pair<const std::string, DISPID>& function(std::string_view name) const;
    // Calls it with the last argument first.
    Variant invoke(const std::pair<const std::string, DISPID>& function, std::vector<Variant>& reversed);
    void connect(IUnknown* control, Fired fired);

    HWND window_ = nullptr;
    IDispatch* dispatch_ = nullptr;
    std::map<std::string, DISPID, std::less<>> functions_;
    std::map<DISPID, std::string> event_names_;
    std::map<std::string, std::string> signatures_, event_signatures_, about_;
};

}  // namespace koapy
