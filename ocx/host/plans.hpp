// What is read inside events for the gateway: the pipe's way there and back, not COM, is what reading costs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "control.hpp"

namespace koapy {

class Plans {
public:
    // Takes what the gateway wants of ticks, and which events it wants to be waited in, in place of what it wanted before.
    void take_plan(Reader& frame);
    // The same for the answers of TRs.
    void take_trs(Reader& frame);

    // Whether the control is to wait until the gateway is through with this event.
    bool holds(const std::string& event) const { return held_.count(event) != 0; }

    // What this event carries. Runs inside it; what cannot be read is said in the frame.
    Writer read(Control& control, const std::string& event, const DISPPARAMS& arguments) const;

private:
    struct Fids {
        std::vector<LONG> fids;
        Texts names;
    };
    struct Tr {
        std::string single_record, multi_record;
        std::vector<std::string> single, columns;
    };

    Writer tick(Control& control, const std::wstring& code, const std::wstring& kind) const;
    Writer chejan(Control& control, const std::string& list) const;
    Writer answer(Control& control, const std::wstring& request, const std::wstring& code, const std::wstring& record) const;

    std::set<std::string> held_;
    std::map<std::string, Fids> types_;
    Fids others_;  // for a real type that the plan does not have
    std::map<std::string, Tr> trs_;
};

}  // namespace koapy
