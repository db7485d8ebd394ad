// What can be read inside one event; outside of events there is nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "simulation.hpp"

namespace koapy::fake {

class Readable {
public:
    Readable() = default;
    // From what an EVENT frame carries.
    explicit Readable(Reader& frame);
    // A tick of a flood: each value is its FID and the number of the tick.
    explicit Readable(int tick) : tick_(tick) {}
    // An answer of which each cell is its row and its column.
    static Readable page(const std::string& code, const std::string& request, LONG rows, LONG columns);

    // Whether this is a function that reads events.
    static bool reads(const std::string& function);
    // What it returns: what is not there is "", 0 or nothing. Throws Elsewhere where reading failed over there.
    Variant read(const std::string& function, const std::vector<Variant>& arguments) const;

private:
    Variant cell(LONG row, const std::string& item) const;

    std::map<std::string, std::string> fields_, single_;
    std::string code_, failure_;
    std::vector<std::string> records_, columns_, cells_;
    LONG count_ = 0;
    Variant rows_;
    int tick_ = 0;
};

}  // namespace koapy::fake
