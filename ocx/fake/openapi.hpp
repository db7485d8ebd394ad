// What the fake control does when it is called, and when the simulation has something to tell: no COM interfaces here.
#pragma once

#include "simulation.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "faults.hpp"
#include "readable.hpp"

namespace koapy::fake {

class OpenApi {
public:
    using Fire = std::function<void(const std::string& event, std::vector<Variant> arguments)>;

    explicit OpenApi(Fire fire) : fire_(std::move(fire)) {}

    // Connects to the simulation whose address KOAPY_FAKE_OCX has. Events come to `window` as its message FIRE.
    void open(HWND window);
    // A function of the control. Throws Elsewhere.
    Variant call(const std::string& name, const std::vector<Variant>& arguments);
    // FIRE has come: tell the next event.
    void fire_next();
    // FLOOD has come: tell the next tick of a flood.
    void flood();
    // ANSWER has come: tell an answer that no simulation has made.
    void answer();

    static constexpr UINT FIRE = WM_APP + 1, FLOOD = WM_APP + 2, ANSWER = WM_APP + 3;

private:
    Variant order(const std::wstring& words);
    void tell(const std::string& event, std::vector<Variant> arguments, Readable readable);
    void connected(LONG code);

    Fire fire_;
    HWND window_ = nullptr;
    Simulation simulation_;
    Faults faults_;
    Lock lock_;
    std::deque<std::string> events_;
    // Of the control's thread only.
    std::unique_ptr<Readable> readable_;  // of the event that is being told
    std::wstring telling_;
    bool logged_in_ = false, used_up_ = false;
    int ticks_ = 0, rows_ = 0;
};

}  // namespace koapy::fake
