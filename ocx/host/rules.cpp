#include "rules.hpp"

namespace koapy {

namespace {

// In place of an owner: every program on the screen.
const std::string ANY = "*";

bool within(const std::string& wanted, const std::string& found) { return found.find(wanted) != found.npos; }

}  // namespace

bool Rule::knows(const Box& box) const {
    return within(title, box.title) && (owner == ANY || within(owner, box.owner)) && within(text, box.text);
}

bool Rule::reaches(const std::string& found_title, const std::string& found_owner) const {
    return owner == ANY ? within(title, found_title) : !owner.empty() && within(owner, found_owner);
}

std::vector<Rule> read_rules(Reader& frame) {
    std::vector<Rule> rules(frame.get<uint16_t>());
    for (Rule& each : rules)
        for (std::string* part : {&each.title, &each.owner, &each.text, &each.action}) *part = frame.text();
    frame.end();
    return rules;
}

}  // namespace koapy
