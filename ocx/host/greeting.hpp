// What a host says first.
#pragma once

#include <map>
#include <string>

#include "../wire/frames.hpp"

namespace koapy {

using Facts = std::map<std::string, std::string>;

// WELCOME: functions and events with their signatures, and facts for people.
Writer welcome(const Facts& functions, const Facts& events, const Facts& about);

}  // namespace koapy
