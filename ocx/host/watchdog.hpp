// A thread of its own that gives signs of life, and sees the boxes and the calls that hold the apartment.
#pragma once

#include <windows.h>

#include <map>
#include <vector>

#include "activity.hpp"
#include "../wire/threads.hpp"
#include "pipe.hpp"
#include "rules.hpp"

namespace koapy {

class Watchdog {
public:
    Watchdog(Pipe& pipe, Activity& activity) : pipe_(pipe), activity_(activity) {}

    void start();
    // Takes the table of boxes in place of the one before; called on the reading thread.
    void take(Reader& frame);

private:
    enum class Step : uint8_t { SEEN = 1, HANDLED, GONE };
    struct Seen {
        Box box;
        std::string action;
        unsigned turns = 0;
        bool here = true;
    };

    void run();
    void beat();
    void look();
    void meet(HWND window);
    void act(HWND window, Seen& seen);
    void busy();
    bool concerns(HWND window, DWORD process, const std::string& owner);
    void tell(HWND window, Step step, const Seen& seen);

    Pipe& pipe_;
    Activity& activity_;
    Lock lock_;
    std::vector<Rule> rules_;
    // Of this thread only.
    std::map<HWND, Seen> seen_;
    unsigned turn_ = 0, heard_ = 0, silent_ = 0;
    bool told_busy_ = false;
};

}  // namespace koapy
