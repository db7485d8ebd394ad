#include "watchdog.hpp"

#include <tlhelp32.h>

#include <algorithm>

#include "../wire/variants.hpp"
#include "ending.hpp"

namespace koapy {

namespace {

constexpr DWORD TURN_MS = 100;
constexpr unsigned TURNS_PER_BEAT = 10;
// Turns without a frame of the gateway until it is taken to be dead. Turns, not time: while the machine sleeps, none
// goes by.
constexpr unsigned SILENT_TURNS = 600;
constexpr ULONGLONG BUSY_MS = 2000;
// Turns after which an action that has not helped is tried again: a box may not be ready for it when it appears.
constexpr unsigned AGAIN_TURNS = 20;
const std::string PRESS = "press:";

// GetWindowText would ask the window's thread, which may hang.
std::string text_of_window(HWND window) {
    wchar_t text[512];
    return utf8(text, InternalGetWindowText(window, text, 512));
}

std::string class_of(HWND window) {
    wchar_t name[128];
    return utf8(name, GetClassNameW(window, name, 128));
}

std::string file_of(DWORD process) {
    wchar_t path[MAX_PATH];
    DWORD size = MAX_PATH;
    HANDLE opened = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process);
    if (!opened) return "";
    std::string found = QueryFullProcessImageNameW(opened, 0, path, &size) ? utf8(path, size) : "";
    CloseHandle(opened);
    return found.substr(found.find_last_of('\\') + 1);
}

bool child_of_ours(DWORD process) {
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {};
    entry.dwSize = sizeof entry;
    bool found = false;
    for (BOOL more = Process32FirstW(all, &entry); more && !found; more = Process32NextW(all, &entry))
        found = entry.th32ProcessID == process && entry.th32ParentProcessID == GetCurrentProcessId();
    CloseHandle(all);
    return found;
}

struct Inside {
    std::string text;       // of all labels
    std::string wanted;     // on a button: any of these words, joined by |; "" takes the first
    HWND button = nullptr;  // that has it
};

bool has_any(const std::string& text, const std::string& words) {
    for (size_t at = 0, end; at <= words.size(); at = end + 1) {
        end = std::min(words.find('|', at), words.size());
        if (text.find(words.substr(at, end - at)) != text.npos) return true;
    }
    return false;
}

// A button that is pressed, and no box to tick.
bool pushes(HWND window) { return (GetWindowLongW(window, GWL_STYLE) & BS_TYPEMASK) <= BS_DEFPUSHBUTTON; }

BOOL CALLBACK look_inside(HWND window, LPARAM given) {
    Inside& inside = *reinterpret_cast<Inside*>(given);
    std::string kind = class_of(window), text = text_of_window(window);
    if (kind == "Static" && !text.empty()) inside.text += (inside.text.empty() ? "" : "\n") + text;
    if (kind == "Button" && !inside.button && pushes(window) && has_any(text, inside.wanted))
        inside.button = window;
    return TRUE;
}

BOOL CALLBACK collect(HWND window, LPARAM given) {
    if (IsWindowVisible(window)) reinterpret_cast<std::vector<HWND>*>(given)->push_back(window);
    return TRUE;
}

}  // namespace

void Watchdog::start() { begin_thread<Watchdog, &Watchdog::run>(this); }

void Watchdog::take(Reader& frame) {
    std::vector<Rule> rules = read_rules(frame);
    Locked locked(lock_);
    rules_ = std::move(rules);
}

void Watchdog::run() {
    for (;; Sleep(TURN_MS)) {
        if (dying_too_long()) end(CRASHED);
        if (turn_++ % TURNS_PER_BEAT == 0) beat();
        look();
        busy();
    }
}

void Watchdog::beat() {
    pipe_.send(Writer(Kind::BEAT));
    silent_ = pipe_.heard() == heard_ ? silent_ + TURNS_PER_BEAT : 0;
    heard_ = pipe_.heard();
    if (silent_ >= SILENT_TURNS) end(GATEWAY_SILENT);
}

void Watchdog::look() {
    std::vector<HWND> windows;
    EnumWindows(collect, reinterpret_cast<LPARAM>(&windows));
    for (auto& [window, seen] : seen_) seen.here = false;
    for (HWND each : windows) meet(each);
    for (auto each = seen_.begin(); each != seen_.end();) {
        if (!each->second.here) tell(each->first, Step::GONE, each->second);
        each = each->second.here ? std::next(each) : seen_.erase(each);
    }
}

void Watchdog::meet(HWND window) {
    auto known = seen_.find(window);
    if (known != seen_.end()) {
        known->second.here = true;
        if (++known->second.turns % AGAIN_TURNS == 0) act(window, known->second);
        return;
    }
    DWORD process = 0;
    GetWindowThreadProcessId(window, &process);
    std::string owner = file_of(process);
    if (!concerns(window, process, owner)) return;
    Inside inside;
    EnumChildWindows(window, look_inside, reinterpret_cast<LPARAM>(&inside));
    Seen seen{{text_of_window(window), class_of(window), owner, inside.text}, "report"};
    {
        Locked locked(lock_);
        for (const Rule& each : rules_)
            if (each.knows(seen.box)) {
                seen.action = each.action;
                break;
            }
    }
    tell(window, Step::SEEN, seen);
    act(window, seen_[window] = std::move(seen));
}

// A window of this process with a title, or a dialog of a program that this one has started or that a rule reaches.
bool Watchdog::concerns(HWND window, DWORD process, const std::string& owner) {
    bool dialog = class_of(window) == "#32770";
    std::string title = text_of_window(window);
    if (process == GetCurrentProcessId()) return dialog || !title.empty();
    if (!dialog) return false;
    {
        Locked locked(lock_);
        for (const Rule& each : rules_)
            if (each.reaches(title, owner)) return true;
    }
    return child_of_ours(process);
}

void Watchdog::act(HWND window, Seen& seen) {
    if (seen.action == "close") {
        PostMessageW(window, WM_CLOSE, 0, 0);
    } else if (seen.action.compare(0, PRESS.size(), PRESS) == 0) {
        Inside inside{"", seen.action.substr(PRESS.size()), nullptr};
        EnumChildWindows(window, look_inside, reinterpret_cast<LPARAM>(&inside));
        if (!inside.button) return;
        PostMessageW(inside.button, BM_CLICK, 0, 0);
    } else if (seen.action != "end") {
        return;
    }
    tell(window, Step::HANDLED, seen);
    if (seen.action == "end") {
        pipe_.flush(TURN_MS);
        end(BY_RULE);
    }
}

void Watchdog::tell(HWND window, Step step, const Seen& seen) {
    Writer frame(Kind::DIALOG);
    frame.number(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(window)));
    frame.byte(static_cast<uint8_t>(step));
    for (const std::string* each : {&seen.box.title, &seen.box.kind, &seen.box.owner, &seen.box.text, &seen.action})
        frame.text(*each);
    pipe_.send(frame);
}

// Says each second that the apartment is in something that takes long, and once that it is through.
void Watchdog::busy() {
    const char* what = activity_.what();
    ULONGLONG milliseconds = activity_.milliseconds();
    bool long_now = what && milliseconds >= BUSY_MS;
    if (!long_now && !told_busy_) return;
    if (long_now && turn_ % TURNS_PER_BEAT != 0) return;
    Writer frame(Kind::BUSY);
    frame.text(long_now ? what : "");
    frame.number(static_cast<uint32_t>(long_now ? milliseconds : 0));
    pipe_.send(frame);
    told_busy_ = long_now;
}

}  // namespace koapy
