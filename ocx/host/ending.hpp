// How this process ends: at once, whatever the control is doing, and with a code that says why.
#pragma once

#include <windows.h>

namespace koapy {

// koapy.ocx.host has the same table.
enum Ending : UINT { ORDERLY = 0, PIPE_CLOSED = 10, GATEWAY_SILENT = 11, NO_PROTOCOL = 12, BEHIND = 13, REFUSED = 14,
                     BY_RULE = 15, CRASHED = 16 };

// Not ExitProcess: that runs the code of every DLL, and the control's may wait for a thread that hangs.
[[noreturn]] void end(Ending why);

// Have a crash of the control end the process without a box that would keep it. `last_words` is called with what
// happened, on the thread that crashed; when it hangs, the process ends all the same.
void end_at_crash(void (*last_words)(const char* text));

// Whether a crash has been under way for so long that its last words are not worth waiting for.
bool dying_too_long();

}  // namespace koapy
