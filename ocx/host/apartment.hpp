// The control's thread: Windows' messages, the gateway's calls, and the control's events, one at a time.
#pragma once

#include <windows.h>

#include <deque>
#include <string>
#include <vector>

#include "control.hpp"
#include "../wire/threads.hpp"
#include "pipe.hpp"
#include "plans.hpp"

namespace koapy {

class Apartment {
public:
    explicit Apartment(Pipe& pipe) : pipe_(pipe), arrived_(CreateEventW(nullptr, FALSE, FALSE, nullptr)) {}

    // A frame for this thread; called on the reading thread. Throws FrameError.
    void post(std::string frame);
    // Makes the control and tells the gateway what it offers, or why there is none.
    void open(const std::wstring& id);
    // Serves until the gateway says good-bye.
    void run();

    Activity& activity() { return control_.activity; }

private:
    struct Waiting {
        Kind kind;
        uint32_t event;  // in which a call is made, or that the gateway is through with
        std::string frame;
    };

    bool take(std::string& frame);
    void handle(const std::string& frame);
    void call(Reader& frame);
    void fired(const std::string& name, const DISPPARAMS& arguments);
    void hold(uint32_t number);

    Pipe& pipe_;
    HANDLE arrived_;
    Lock lock_;
    std::deque<Waiting> inbox_;
    // Of this thread only.
    Control control_;
    Plans plans_;
    uint32_t events_ = 0;
    std::vector<uint32_t> held_;  // the events that wait for the gateway, each inside the one before
    uint32_t done_ = 0;           // the event that the gateway is through with
    bool over_ = false;
};

}  // namespace koapy
