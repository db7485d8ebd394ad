// The connection to the process that plays OpenAPI+: this side is a gateway of docs/remote.md.
#pragma once

#include <winsock2.h>
#include <windows.h>

#include <functional>
#include <string>

#include "../wire/threads.hpp"
#include "../wire/variants.hpp"

namespace koapy::fake {

// The other process failed, or refused, or is not there.
struct Elsewhere : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Simulation {
public:
    // Connects to host:port; `event` is called with each EVENT frame, on a thread of its own. Throws Elsewhere.
    void open(const std::string& address, std::function<void(std::string)> event);

    // Calls a function there and waits for what it returns. Throws Elsewhere.
    Variant call(const std::string& name, const std::vector<Variant>& arguments);

private:
    void read_all();
    bool next(std::string& frame);
    void send(const Writer& frame);

    SOCKET socket_ = INVALID_SOCKET;
    std::function<void(std::string)> event_;
    Lock lock_;
    CONDITION_VARIABLE answered_ = CONDITION_VARIABLE_INIT;
    uint32_t calls_ = 0;
    std::string answer_;  // to the last call, until it is taken
    bool over_ = false;
};

}  // namespace koapy::fake
