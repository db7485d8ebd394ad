#include "openapi.hpp"

#include "control.hpp"
#include "ids.hpp"

namespace koapy::fake {

namespace {

constexpr LONG COLUMNS = 15;  // that daily prices have
constexpr LONG NOT_LOGGED_IN = -100, NO_SERVER = -101;

std::wstring environment(const wchar_t* name) {
    wchar_t text[512];
    DWORD size = GetEnvironmentVariableW(name, text, 512);
    return std::wstring(text, size < 512 ? size : 0);
}

// Functions that are of use to one who has logged in only. The simulation may still have the login of a process that
// is gone; a new process of OpenAPI+ has not.
bool needs_login(const std::string& name) {
    for (const char* each : {"CommRqData", "CommKwRqData", "SendOrder", "SendOrderFO", "SendOrderCredit", "SetRealReg",
                             "SendCondition", "GetConditionLoad"})
        if (name == each) return true;
    return false;
}

std::wstring beside_us(const wchar_t* file) {
    wchar_t path[MAX_PATH];
    GetModuleFileNameW(module, path, MAX_PATH);
    std::wstring found = path;
    return found.substr(0, found.find_last_of(L'\\') + 1) + file;
}

// As OpenAPI+ at a login by hand: where a new version lies ready, the program that installs it is started instead.
bool upgrade_begun() {
    if (GetFileAttributesW(beside_us(NEW_VERSION).c_str()) == INVALID_FILE_ATTRIBUTES) return false;
    STARTUPINFOW how = {};
    how.cb = sizeof how;
    PROCESS_INFORMATION started = {};
    std::wstring command = L'"' + beside_us(L"opstarter.exe") + L'"';
    if (!CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &how, &started))
        return false;
    CloseHandle(started.hThread);
    CloseHandle(started.hProcess);
    return true;
}

}  // namespace

void OpenApi::open(HWND window) {
    window_ = window;
    std::wstring fault = environment(L"KOAPY_FAKE_FAULT");
    // As a control that is not there before its new version is.
    if (fault == L"upgrade" && upgrade_begun()) Sleep(INFINITE);
    if (!fault.empty()) faults_.arm(fault);
    faults_.at(L"before", L"creation");
    std::wstring address = environment(L"KOAPY_FAKE_OCX");
    if (address.empty()) return;
    simulation_.open(utf8(address), [this](std::string frame) {
        Locked locked(lock_);
        events_.push_back(std::move(frame));
        PostMessageW(window_, FIRE, 0, 0);
    });
}

Variant OpenApi::call(const std::string& name, const std::vector<Variant>& arguments) {
    std::wstring wide_name = wide(name);
    faults_.at(L"before", wide_name);
    if (name == "KOA_Functions" && text_of(arguments[0]) == "Fake") return order(wide(text_of(arguments[1])));
    if (Readable::reads(name)) {
        if (readable_) faults_.at(L"in", telling_);
        return readable_ ? readable_->read(name, arguments) : Readable().read(name, arguments);
    }
    if (name == "GetConnectState" && !logged_in_) return Variant(0L);
    if (needs_login(name) && !logged_in_) return Variant(NOT_LOGGED_IN);
    if (name == "CommConnect" && used_up_) {
        // A process has one connection; to connect again takes a new process.
        Locked locked(lock_);
        events_.push_back("");
        PostMessageW(window_, FIRE, 0, 0);
        return Variant(0L);
    }
    if (name == "CommConnect" && upgrade_begun()) return Variant(0L);
    Variant found = simulation_.call(name, arguments);
    faults_.at(L"after", wide_name);
    return found;
}

// KOA_Functions("Fake", ...): arms a fault; "log in" takes the simulation's word for the login; "flood N" tells N ticks;
// "answer N" tells the answer to a query of daily prices with N rows; "upgrade" begins one, as another program's login
// would.
Variant OpenApi::order(const std::wstring& words) {
    if (words.compare(0, 6, L"flood ") == 0) {
        ticks_ = std::stoi(words.substr(6));
        PostMessageW(window_, FLOOD, 0, 0);
    } else if (words.compare(0, 7, L"answer ") == 0) {
        rows_ = std::stoi(words.substr(7));
        PostMessageW(window_, ANSWER, 0, 0);
    } else if (words == L"upgrade") {
        upgrade_begun();
    } else if (words == L"log in") {
        logged_in_ = true;
    } else {
        faults_.arm(words);
    }
    return Variant(std::wstring());
}

void OpenApi::flood() {
    std::vector<Variant> arguments;
    for (const wchar_t* each : {L"005930", L"주식체결", L""}) arguments.emplace_back(std::wstring(each));
    tell("OnReceiveRealData", std::move(arguments), Readable(ticks_));
    if (--ticks_ > 0) PostMessageW(window_, FLOOD, 0, 0);
}

void OpenApi::answer() {
    std::vector<Variant> arguments;
    for (const wchar_t* each : {L"0001", L"일봉", L"opt10081", L"", L"0", L"0", L"", L"", L""})
        arguments.emplace_back(std::wstring(each));
    tell("OnReceiveTrData", std::move(arguments), Readable::page("opt10081", "일봉", rows_, COLUMNS));
}

void OpenApi::fire_next() {
    std::string frame;
    {
        Locked locked(lock_);
        if (events_.empty()) return;
        frame = std::move(events_.front());
        events_.pop_front();
    }
    if (frame.empty()) return connected(NO_SERVER);
    Reader reader(frame);
    reader.get<uint32_t>();
    reader.get<uint8_t>();  // held: never by the simulation
    std::string name(reader.text());
    std::vector<Variant> arguments(reader.get<uint8_t>());
    for (Variant& each : arguments) each = get_value(reader);
    if (name == "OnEventConnect") return connected(std::stol(text_of(arguments[0])));
    if (logged_in_) tell(name, std::move(arguments), Readable(reader));
}

void OpenApi::connected(LONG code) {
    if (logged_in_ && code < 0) used_up_ = true;
    logged_in_ = code == 0;
    std::vector<Variant> arguments;
    arguments.emplace_back(code);
    tell("OnEventConnect", std::move(arguments), Readable());
}

void OpenApi::tell(const std::string& event, std::vector<Variant> arguments, Readable readable) {
    faults_.at(L"before", wide(event));
    auto outer = std::make_unique<Readable>(std::move(readable));
    std::wstring outer_name = wide(event);
    outer.swap(readable_);
    outer_name.swap(telling_);
    fire_(event, std::move(arguments));
    outer.swap(readable_);
    outer_name.swap(telling_);
    faults_.at(L"after", wide(event));
}

}  // namespace koapy::fake
