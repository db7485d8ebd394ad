// Waits for other programs, without any control in this process: while they run, only boxes are looked after.
#pragma once

#include <string>
#include <vector>

#include "pipe.hpp"

namespace koapy {

// Says WELCOME, without functions and events, and BYE once no program runs any more whose file name has one of
// `names` in it (lower case); returns then.
void keep_vigil(Pipe& pipe, const std::vector<std::wstring>& names);

}  // namespace koapy
