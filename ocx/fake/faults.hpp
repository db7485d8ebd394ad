// What goes wrong on demand: "crash before SendOrder", "crash after SendOrder", "hang before GetMasterCodeName",
// "dialog before CommConnect TITLE|TEXT", "crash in OnReceiveTrData" (as soon as something is read there), "crash before
// creation". Each happens once.
#pragma once

#include <windows.h>

#include <string>
#include <vector>

namespace koapy::fake {

class Faults {
public:
    void arm(const std::wstring& fault);
    // Called at each such moment; does what is armed for it.
    void at(const std::wstring& moment, const std::wstring& name);

private:
    struct Armed {
        std::wstring action, moment, name, text;
    };
    std::vector<Armed> armed_;
};

}  // namespace koapy::fake
