#include "control.hpp"

#include <olectl.h>

#include <cstdio>

#include "origin.hpp"
#include "typeinfo.hpp"

namespace koapy {

std::string explained(HRESULT result) {
    char number[16];
    std::snprintf(number, sizeof number, "0x%08lX", static_cast<unsigned long>(result));
    wchar_t text[300];
    DWORD size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, result, 0, text, 300,
                                nullptr);
    while (size && text[size - 1] <= L' ') --size;
    return size ? utf8(text, size) + " (" + number + ")" : std::string("HRESULT ") + number;
}

// Receives the control's events.
struct Control::Sink : IDispatch {
    Sink(REFIID events, const std::map<DISPID, std::string>& names, Fired fired)
        : events_(events), names_(names), fired_(std::move(fired)) {}

    STDMETHODIMP QueryInterface(REFIID id, void** found) override {
        bool known = id == IID_IUnknown || id == IID_IDispatch || id == events_;
        *found = known ? this : nullptr;
        return known ? S_OK : E_NOINTERFACE;
    }
    // It lives as long as the process.
    STDMETHODIMP_(ULONG) AddRef() override { return 2; }
    STDMETHODIMP_(ULONG) Release() override { return 1; }
    STDMETHODIMP GetTypeInfoCount(UINT* count) override { *count = 0; return S_OK; }
    STDMETHODIMP GetTypeInfo(UINT, LCID, ITypeInfo**) override { return E_NOTIMPL; }
    STDMETHODIMP GetIDsOfNames(REFIID, LPOLESTR*, UINT, LCID, DISPID*) override { return E_NOTIMPL; }
    STDMETHODIMP Invoke(DISPID id, REFIID, LCID, WORD, DISPPARAMS* arguments, VARIANT*, EXCEPINFO*, UINT*) override {
        auto name = names_.find(id);
        if (name != names_.end()) fired_(name->second, *arguments);
        return S_OK;
    }

private:
    IID events_;
    const std::map<DISPID, std::string>& names_;
    Fired fired_;
};

namespace {

void need(HRESULT result, const std::string& what) {
    if (FAILED(result)) throw CallError(what + ": " + explained(result));
}

// Frees what EXCEPINFO holds and says what it said.
std::string complaint(EXCEPINFO& info) {
    if (info.pfnDeferredFillIn) info.pfnDeferredFillIn(&info);
    std::string text = utf8(info.bstrDescription);
    for (BSTR each : {info.bstrSource, info.bstrDescription, info.bstrHelpFile}) SysFreeString(each);
    return text.empty() ? text : ": " + text;
}

}  // namespace

void Control::create(const std::wstring& id, Fired fired) {
    need(OleInitialize(nullptr), "OLE does not start");
    CLSID clsid;
    need(class_of(id, clsid), utf8(id) + " is not registered for 32-bit programs on this machine");
    // A part of Windows; its AtlAxWin is a complete container.
    HMODULE atl = LoadLibraryW(L"atl.dll");
    auto init = reinterpret_cast<BOOL(WINAPI*)()>(reinterpret_cast<void*>(GetProcAddress(atl, "AtlAxWinInit")));
    auto make = reinterpret_cast<HRESULT(WINAPI*)(LPCOLESTR, HWND, IStream*, IUnknown**, IUnknown**, REFIID, IUnknown*)>(
        reinterpret_cast<void*>(GetProcAddress(atl, "AtlAxCreateControlEx")));
    if (!init || !make || !init()) throw CallError("Windows' container for controls (atl.dll) is not there");
    window_ = CreateWindowW(L"STATIC", L"", WS_POPUP, 0, 0, 1, 1, nullptr, nullptr, nullptr, nullptr);
    HWND box = CreateWindowW(L"AtlAxWin", L"", WS_CHILD, 0, 0, 1, 1, window_, nullptr, nullptr, nullptr);
    IUnknown *container = nullptr, *control = nullptr;
    need(make(id.c_str(), box, nullptr, &container, &control, GUID_NULL, nullptr), utf8(id) + " cannot be made");
    if (!control) throw CallError(utf8(id) + " was made, but is not there");
    need(control->QueryInterface(IID_IDispatch, reinterpret_cast<void**>(&dispatch_)), "the control takes no calls");
    connect(control, std::move(fired));
    about_ = origin(id);
}

void Control::connect(IUnknown* control, Fired fired) {
    IProvideClassInfo2* provider = nullptr;
    ITypeInfo *own = nullptr, *source = nullptr;
    ITypeLib* library = nullptr;
    IConnectionPointContainer* points = nullptr;
    IConnectionPoint* point = nullptr;
    IID events;
    UINT index;
    DWORD cookie;
    need(control->QueryInterface(IID_IProvideClassInfo2, reinterpret_cast<void**>(&provider)), "no event interface");
    need(provider->GetGUID(GUIDKIND_DEFAULT_SOURCE_DISP_IID, &events), "no event interface");
    need(dispatch_->GetTypeInfo(0, LOCALE_USER_DEFAULT, &own), "no type library");
    need(own->GetContainingTypeLib(&library, &index), "no type library");
    need(library->GetTypeInfoOfGuid(events, &source), "the type library does not have the events");
    for (const Described& each : described(own, false)) {
        functions_[each.name] = each.id;
        signatures_[each.name] = each.signature;
    }
    for (const Described& each : described(source, true)) {
        event_names_[each.id] = each.name;
        event_signatures_[each.name] = each.signature;
    }
    need(control->QueryInterface(IID_IConnectionPointContainer, reinterpret_cast<void**>(&points)), "no events");
    need(points->FindConnectionPoint(events, &point), "no events");
    need(point->Advise(new Sink(events, event_names_, std::move(fired)), &cookie), "the events cannot be received");
}

void Control::destroy() {
    if (dispatch_) dispatch_->Release();
    DestroyWindow(window_);
}

const std::pair<const std::string, DISPID>& Control::function(std::string_view name) const {
    auto found = functions_.find(name);
    if (found == functions_.end()) throw CallError("the control has no function " + std::string(name));
    return *found;
}

Variant Control::call(std::string_view name, std::vector<Variant> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    return invoke(function(name), arguments);
}

Variant Control::invoke(const std::pair<const std::string, DISPID>& function, std::vector<Variant>& reversed) {
    static_assert(sizeof(Variant) == sizeof(VARIANT));
    DISPPARAMS packed = {reversed.data(), nullptr, static_cast<UINT>(reversed.size()), 0};
    Variant returned;
    EXCEPINFO info = {};
    Activity::Block busy(activity, function.first.c_str());
    HRESULT result = dispatch_->Invoke(function.second, IID_NULL, LOCALE_USER_DEFAULT, DISPATCH_METHOD, &packed, &returned,
                                       &info, nullptr);
    if (FAILED(result)) throw CallError(explained(result) + (result == DISP_E_EXCEPTION ? complaint(info) : ""));
    return returned;
}

}  // namespace koapy
