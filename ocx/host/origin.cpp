#include "origin.hpp"

#include <objbase.h>
#include <winver.h>

#include <vector>

#include "../wire/variants.hpp"

namespace koapy {

namespace {

std::wstring registered(const std::wstring& key) {
    wchar_t text[1024] = {};
    DWORD size = sizeof text - sizeof *text;
    if (RegGetValueW(HKEY_CLASSES_ROOT, key.c_str(), nullptr, RRF_RT_REG_SZ, nullptr, text, &size))
        return L"";
    return text;
}

std::string version(const std::wstring& file) {
    DWORD ignored, size = GetFileVersionInfoSizeW(file.c_str(), &ignored);
    std::vector<char> data(size);
    VS_FIXEDFILEINFO* found = nullptr;
    UINT length = 0;
    if (!size || !GetFileVersionInfoW(file.c_str(), 0, size, data.data()) ||
        !VerQueryValueW(data.data(), L"\\", reinterpret_cast<void**>(&found), &length) || !found)
        return "";
    auto part = [](DWORD both, int shift) { return std::to_string((both >> shift) & 0xFFFF); };
    return part(found->dwFileVersionMS, 16) + "." + part(found->dwFileVersionMS, 0) + "." +
           part(found->dwFileVersionLS, 16) + "." + part(found->dwFileVersionLS, 0);
}

// OpenAPI+ writes its masters and versions beside itself; where it may not, it fails in ways that say nothing of it.
bool writable(const std::wstring& folder) {
    std::wstring file = folder + L"koapy-may-write-" + std::to_wstring(GetCurrentProcessId());
    HANDLE made = CreateFileW(file.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW,
                              FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
    if (made == INVALID_HANDLE_VALUE) return false;
    CloseHandle(made);
    return true;
}

// OpenAPI+ is for 32-bit programs; an entry for the others alone is of no use here.
bool for_64_bits(const std::wstring& id) {
    HKEY key;
    std::wstring name = id[0] == L'{' ? L"CLSID\\" + id : id;
    if (RegOpenKeyExW(HKEY_CLASSES_ROOT, name.c_str(), 0, KEY_READ | KEY_WOW64_64KEY, &key)) return false;
    RegCloseKey(key);
    return true;
}

bool elevated() {
    HANDLE token;
    TOKEN_ELEVATION found = {};
    DWORD size = 0;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    GetTokenInformation(token, TokenElevation, &found, sizeof found, &size);
    CloseHandle(token);
    return found.TokenIsElevated;
}

bool there(const std::wstring& file) { return GetFileAttributesW(file.c_str()) != INVALID_FILE_ATTRIBUTES; }

}  // namespace

HRESULT class_of(const std::wstring& id, CLSID& found) {
    return id[0] == L'{' ? CLSIDFromString(id.c_str(), &found) : CLSIDFromProgID(id.c_str(), &found);
}

std::map<std::string, std::string> origin(const std::wstring& id) {
    std::map<std::string, std::string> facts = {
        {"control", utf8(id)},
        {"bits", std::to_string(sizeof(void*) * 8)},
        {"code page", std::to_string(GetACP())},
        {"administrator", elevated() ? "yes" : "no"},
        {"process", std::to_string(GetCurrentProcessId())},
    };
    CLSID clsid;
    std::wstring file;
    if (SUCCEEDED(class_of(id, clsid))) {
        wchar_t text[40];
        StringFromGUID2(clsid, text, 40);
        file = registered(std::wstring(L"CLSID\\") + text + L"\\InprocServer32");
        facts["clsid"] = utf8(std::wstring(text));
    }
    facts["registered"] = !file.empty() ? "yes" : for_64_bits(id) ? "for 64-bit programs only" : "no";
    if (file.empty()) return facts;
    std::wstring folder = file.substr(0, file.find_last_of(L'\\') + 1);
    facts["file"] = utf8(file);
    facts["file is there"] = there(file) ? "yes" : "no";
    facts["version"] = version(file);
    facts["folder is writable"] = writable(folder) ? "yes" : "no";
    facts["auto login"] = there(folder + L"system\\Autologin.dat") ? "yes" : "no";
    return facts;
}

}  // namespace koapy
