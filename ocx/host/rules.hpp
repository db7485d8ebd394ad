// Which boxes are known, and what is done about them.
#pragma once

#include <string>
#include <vector>

#include "../wire/frames.hpp"

namespace koapy {

// A window that somebody would have to click away.
struct Box {
    std::string title, kind, owner, text;  // kind: the window's class; owner: the file of its process
};

// Each text must occur in the box's; an empty one always does.
struct Rule {
    std::string title, owner, text;
    std::string action;  // "report", "close", "end", or "press:" and the words on the button

    bool knows(const Box& box) const;
};

std::vector<Rule> read_rules(Reader& frame);

}  // namespace koapy
