// The fake control as COM sees it: an apartment-threaded ActiveX control that refuses calls until a container has
// activated it in place, and fires its events from its own window's messages, as one made with MFC does.
#pragma once

#include <windows.h>
#include <ole2.h>
#include <olectl.h>

#include <map>
#include <string>

#include "openapi.hpp"

namespace koapy::fake {

extern HMODULE module;
extern LONG alive;  // objects that keep the DLL in memory

HRESULT load_library(ITypeLib** library);

class Control;

// Where containers connect to receive the events.
class Point : public IConnectionPoint {
public:
    explicit Point(Control& owner) : owner_(owner) {}
    void fire(DISPID id, std::vector<Variant>& arguments);

    STDMETHODIMP QueryInterface(REFIID id, void** found) override;
    STDMETHODIMP_(ULONG) AddRef() override;
    STDMETHODIMP_(ULONG) Release() override;
    STDMETHODIMP GetConnectionInterface(IID* id) override;
    STDMETHODIMP GetConnectionPointContainer(IConnectionPointContainer** found) override;
    STDMETHODIMP Advise(IUnknown* sink, DWORD* cookie) override;
    STDMETHODIMP Unadvise(DWORD cookie) override;
    STDMETHODIMP EnumConnections(IEnumConnections**) override { return E_NOTIMPL; }

private:
    Control& owner_;
    DWORD next_ = 1;
    std::map<DWORD, IDispatch*> sinks_;
};

class Control : public IDispatch,
                public IOleObject,
                public IOleInPlaceObject,
                public IPersistStreamInit,
                public IConnectionPointContainer,
                public IProvideClassInfo2 {
public:
    Control();
    virtual ~Control();

    STDMETHODIMP QueryInterface(REFIID id, void** found) override;
    STDMETHODIMP_(ULONG) AddRef() override { return InterlockedIncrement(&references_); }
    STDMETHODIMP_(ULONG) Release() override;
    // IDispatch
    STDMETHODIMP GetTypeInfoCount(UINT* count) override { *count = 1; return S_OK; }
    STDMETHODIMP GetTypeInfo(UINT, LCID, ITypeInfo** found) override { (*found = functions_)->AddRef(); return S_OK; }
    STDMETHODIMP GetIDsOfNames(REFIID, LPOLESTR* names, UINT count, LCID, DISPID* ids) override {
        return functions_->GetIDsOfNames(names, count, ids);
    }
    STDMETHODIMP Invoke(DISPID id, REFIID, LCID, WORD, DISPPARAMS* given, VARIANT* result, EXCEPINFO* info, UINT*) override;
    // IOleObject
    STDMETHODIMP SetClientSite(IOleClientSite* site) override;
    STDMETHODIMP GetClientSite(IOleClientSite** site) override;
    STDMETHODIMP DoVerb(LONG verb, LPMSG, IOleClientSite*, LONG, HWND, LPCRECT) override;
    STDMETHODIMP SetHostNames(LPCOLESTR, LPCOLESTR) override { return S_OK; }
    STDMETHODIMP Close(DWORD) override { return S_OK; }
    STDMETHODIMP SetMoniker(DWORD, IMoniker*) override { return E_NOTIMPL; }
    STDMETHODIMP GetMoniker(DWORD, DWORD, IMoniker**) override { return E_NOTIMPL; }
    STDMETHODIMP InitFromData(IDataObject*, BOOL, DWORD) override { return E_NOTIMPL; }
    STDMETHODIMP GetClipboardData(DWORD, IDataObject**) override { return E_NOTIMPL; }
    STDMETHODIMP EnumVerbs(IEnumOLEVERB**) override { return E_NOTIMPL; }
    STDMETHODIMP Update() override { return S_OK; }
    STDMETHODIMP IsUpToDate() override { return S_OK; }
    STDMETHODIMP GetUserClassID(CLSID* id) override;
    STDMETHODIMP GetUserType(DWORD, LPOLESTR*) override { return E_NOTIMPL; }
    STDMETHODIMP SetExtent(DWORD, SIZEL* size) override { extent_ = *size; return S_OK; }
    STDMETHODIMP GetExtent(DWORD, SIZEL* size) override { *size = extent_; return S_OK; }
    STDMETHODIMP Advise(IAdviseSink*, DWORD*) override { return E_NOTIMPL; }
    STDMETHODIMP Unadvise(DWORD) override { return E_NOTIMPL; }
    STDMETHODIMP EnumAdvise(IEnumSTATDATA**) override { return E_NOTIMPL; }
    STDMETHODIMP GetMiscStatus(DWORD, DWORD* status) override;
    STDMETHODIMP SetColorScheme(LOGPALETTE*) override { return E_NOTIMPL; }
    // IOleInPlaceObject
    STDMETHODIMP GetWindow(HWND* window) override { *window = window_; return window_ ? S_OK : E_FAIL; }
    STDMETHODIMP ContextSensitiveHelp(BOOL) override { return E_NOTIMPL; }
    STDMETHODIMP InPlaceDeactivate() override { return S_OK; }
    STDMETHODIMP UIDeactivate() override { return S_OK; }
    STDMETHODIMP SetObjectRects(LPCRECT, LPCRECT) override { return S_OK; }
    STDMETHODIMP ReactivateAndUndo() override { return E_NOTIMPL; }
    // IPersistStreamInit
    STDMETHODIMP GetClassID(CLSID* id) override { return GetUserClassID(id); }
    STDMETHODIMP IsDirty() override { return S_FALSE; }
    STDMETHODIMP Load(IStream*) override { return S_OK; }
    STDMETHODIMP Save(IStream*, BOOL) override { return S_OK; }
    STDMETHODIMP GetSizeMax(ULARGE_INTEGER*) override { return E_NOTIMPL; }
    STDMETHODIMP InitNew() override { return S_OK; }
    // IConnectionPointContainer
    STDMETHODIMP EnumConnectionPoints(IEnumConnectionPoints**) override { return E_NOTIMPL; }
    STDMETHODIMP FindConnectionPoint(REFIID id, IConnectionPoint** found) override;
    // IProvideClassInfo2
    STDMETHODIMP GetClassInfo(ITypeInfo** found) override;
    STDMETHODIMP GetGUID(DWORD kind, GUID* id) override;

private:
    static LRESULT CALLBACK received(HWND window, UINT message, WPARAM wide, LPARAM lng);
    HRESULT activate();
    // What the type library says of a function.
    struct Declared {
        std::string name;
        std::vector<VARTYPE> parameters;
        VARTYPE returns;
    };
    void declare();

    LONG references_ = 1;
    HWND window_ = nullptr;
    IOleClientSite* site_ = nullptr;
    ITypeInfo *functions_ = nullptr, *events_ = nullptr;
    std::map<DISPID, Declared> declared_;
    Point point_;
    SIZEL extent_ = {100, 100};
    OpenApi api_;
};

}  // namespace koapy::fake
