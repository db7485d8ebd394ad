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
    // "close", "end", or "press:" and the words on the button; all else is for the gateway to do.
    std::string action;

    bool knows(const Box& box) const;
    // Whether boxes of this title are looked for in programs that have nothing to do with this one.
    bool reaches(const std::string& found_title, const std::string& found_owner) const;
};

std::vector<Rule> read_rules(Reader& frame);

}  // namespace koapy
