// What makes a DLL a COM server: its class factory and its entries in the registry.
#include "control.hpp"
#include "ids.hpp"

using namespace koapy::fake;

namespace {

struct Factory : IClassFactory {
    STDMETHODIMP QueryInterface(REFIID id, void** found) override {
        *found = id == IID_IUnknown || id == IID_IClassFactory ? this : nullptr;
        return *found ? S_OK : E_NOINTERFACE;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return 2; }
    STDMETHODIMP_(ULONG) Release() override { return 1; }
    STDMETHODIMP CreateInstance(IUnknown* outer, REFIID id, void** found) override {
        if (outer) return CLASS_E_NOAGGREGATION;
        Control* made = new Control;
        HRESULT result = made->QueryInterface(id, found);
        made->Release();
        return result;
    }
    STDMETHODIMP LockServer(BOOL on) override {
        on ? InterlockedIncrement(&alive) : InterlockedDecrement(&alive);
        return S_OK;
    }
} factory;

std::wstring text(REFGUID id) {
    wchar_t found[40];
    StringFromGUID2(id, found, 40);
    return found;
}

void enter(const std::wstring& key, const wchar_t* name, const std::wstring& value) {
    RegSetKeyValueW(HKEY_CLASSES_ROOT, key.c_str(), name, REG_SZ, value.c_str(),
                    static_cast<DWORD>((value.size() + 1) * sizeof(wchar_t)));
}

}  // namespace

extern "C" {

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID) {
    if (reason == DLL_PROCESS_ATTACH) module = instance;
    return TRUE;
}

STDAPI DllGetClassObject(REFCLSID id, REFIID wanted, LPVOID* found) {
    return id == COCLASS ? factory.QueryInterface(wanted, found) : CLASS_E_CLASSNOTAVAILABLE;
}

STDAPI DllCanUnloadNow() { return alive ? S_FALSE : S_OK; }

STDAPI DllRegisterServer() {
    wchar_t path[MAX_PATH];
    GetModuleFileNameW(module, path, MAX_PATH);
    std::wstring key = L"CLSID\\" + text(COCLASS);
    enter(std::wstring(PROGID) + L"\\CLSID", nullptr, text(COCLASS));
    enter(key, nullptr, L"koapy's fake of OpenAPI+");
    enter(key + L"\\InprocServer32", nullptr, path);
    enter(key + L"\\InprocServer32", L"ThreadingModel", L"Apartment");
    enter(key + L"\\ProgID", nullptr, PROGID);
    enter(key + L"\\TypeLib", nullptr, text(LIBRARY));
    enter(key + L"\\Control", nullptr, L"");
    ITypeLib* library = nullptr;
    HRESULT result = load_library(&library);
    if (FAILED(result)) return result;
    result = RegisterTypeLib(library, path, nullptr);
    library->Release();
    return result;
}

STDAPI DllUnregisterServer() {
    RegDeleteTreeW(HKEY_CLASSES_ROOT, PROGID);
    RegDeleteTreeW(HKEY_CLASSES_ROOT, (L"CLSID\\" + text(COCLASS)).c_str());
    return S_OK;
}

}
