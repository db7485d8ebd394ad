#include "control.hpp"

#include "ids.hpp"

namespace koapy::fake {

HMODULE module;
LONG alive;

HRESULT load_library(ITypeLib** library) {
    wchar_t path[MAX_PATH];
    GetModuleFileNameW(module, path, MAX_PATH);
    return LoadTypeLib(path, library);
}

namespace {

HRESULT load(REFGUID id, ITypeInfo** found) {
    ITypeLib* library = nullptr;
    HRESULT result = load_library(&library);
    if (FAILED(result)) return result;
    result = library->GetTypeInfoOfGuid(id, found);
    library->Release();
    return result;
}

}  // namespace

void Point::fire(DISPID id, std::vector<Variant>& arguments) {
    std::vector<VARIANT> reversed(arguments.rbegin(), arguments.rend());
    DISPPARAMS packed = {reversed.data(), nullptr, static_cast<UINT>(reversed.size()), 0};
    std::map<DWORD, IDispatch*> sinks = sinks_;  // one may let go while it is told
    for (auto& [cookie, sink] : sinks)
        sink->Invoke(id, IID_NULL, LOCALE_USER_DEFAULT, DISPATCH_METHOD, &packed, nullptr, nullptr, nullptr);
}

STDMETHODIMP Point::QueryInterface(REFIID id, void** found) {
    *found = id == IID_IUnknown || id == IID_IConnectionPoint ? this : nullptr;
    if (!*found) return E_NOINTERFACE;
    AddRef();
    return S_OK;
}

STDMETHODIMP_(ULONG) Point::AddRef() { return owner_.AddRef(); }
STDMETHODIMP_(ULONG) Point::Release() { return owner_.Release(); }
STDMETHODIMP Point::GetConnectionInterface(IID* id) { *id = EVENTS; return S_OK; }

STDMETHODIMP Point::GetConnectionPointContainer(IConnectionPointContainer** found) {
    return owner_.QueryInterface(IID_IConnectionPointContainer, reinterpret_cast<void**>(found));
}

STDMETHODIMP Point::Advise(IUnknown* sink, DWORD* cookie) {
    IDispatch* dispatch = nullptr;
    if (FAILED(sink->QueryInterface(EVENTS, reinterpret_cast<void**>(&dispatch)))) return CONNECT_E_CANNOTCONNECT;
    sinks_[*cookie = next_++] = dispatch;
    return S_OK;
}

STDMETHODIMP Point::Unadvise(DWORD cookie) {
    auto found = sinks_.find(cookie);
    if (found == sinks_.end()) return CONNECT_E_NOCONNECTION;
    found->second->Release();
    sinks_.erase(found);
    return S_OK;
}

Control::Control()
    : point_(*this), api_([this](const std::string& event, std::vector<Variant> arguments) {
          std::wstring name = wide(event);
          LPOLESTR names[] = {name.data()};
          DISPID id;
          if (SUCCEEDED(events_->GetIDsOfNames(names, 1, &id))) point_.fire(id, arguments);
      }) {
    load(FUNCTIONS, &functions_);
    load(EVENTS, &events_);
    declare();
    InterlockedIncrement(&alive);
}

Control::~Control() {
    if (window_) DestroyWindow(window_);
    for (IUnknown* each : {static_cast<IUnknown*>(site_), static_cast<IUnknown*>(functions_), static_cast<IUnknown*>(events_)})
        if (each) each->Release();
    InterlockedDecrement(&alive);
}

STDMETHODIMP Control::QueryInterface(REFIID id, void** found) {
    *found = nullptr;
    if (id == IID_IUnknown || id == IID_IDispatch || id == FUNCTIONS) *found = static_cast<IDispatch*>(this);
    else if (id == IID_IOleObject) *found = static_cast<IOleObject*>(this);
    else if (id == IID_IOleInPlaceObject || id == IID_IOleWindow) *found = static_cast<IOleInPlaceObject*>(this);
    else if (id == IID_IPersistStreamInit || id == IID_IPersist) *found = static_cast<IPersistStreamInit*>(this);
    else if (id == IID_IConnectionPointContainer) *found = static_cast<IConnectionPointContainer*>(this);
    else if (id == IID_IProvideClassInfo || id == IID_IProvideClassInfo2) *found = static_cast<IProvideClassInfo2*>(this);
    if (!*found) return E_NOINTERFACE;
    AddRef();
    return S_OK;
}

STDMETHODIMP_(ULONG) Control::Release() {
    LONG left = InterlockedDecrement(&references_);
    if (!left) delete this;
    return left;
}

void Control::declare() {
    FUNCDESC* function = nullptr;
    for (UINT each = 0; functions_ && SUCCEEDED(functions_->GetFuncDesc(each, &function)); ++each) {
        BSTR text = nullptr;
        UINT count;
        functions_->GetNames(function->memid, &text, 1, &count);
        Declared& found = declared_[function->memid];
        found.name = utf8(text);
        for (SHORT at = 0; at < function->cParams; ++at)
            found.parameters.push_back(function->lprgelemdescParam[at].tdesc.vt);
        found.returns = function->elemdescFunc.tdesc.vt;
        SysFreeString(text);
        functions_->ReleaseFuncDesc(function);
    }
}

STDMETHODIMP Control::Invoke(DISPID id, REFIID, LCID, WORD, DISPPARAMS* given, VARIANT* result, EXCEPINFO* info, UINT*) {
    if (!window_) return E_UNEXPECTED;  // what a control made with MFC answers when nobody hosts it
    auto known = declared_.find(id);
    if (known == declared_.end()) return DISP_E_MEMBERNOTFOUND;
    const auto& [name, types, returns] = known->second;
    if (given->cArgs != types.size()) return DISP_E_BADPARAMCOUNT;
    std::vector<Variant> arguments(types.size());
    for (size_t each = 0; each < types.size(); ++each)
        if (FAILED(VariantChangeType(&arguments[each], &given->rgvarg[types.size() - 1 - each], 0, types[each])))
            return DISP_E_TYPEMISMATCH;
    try {
        Variant found = api_.call(name, arguments);
        if (returns == VT_VOID || !result) return S_OK;
        if (returns != VT_VARIANT && found.vt != VT_EMPTY) VariantChangeType(&found, &found, 0, returns);
        *result = found;
        VariantInit(&found);
        return S_OK;
    } catch (const std::runtime_error& error) {
        if (info) {
            *info = {};
            info->bstrDescription = SysAllocString(wide(error.what()).c_str());
            info->scode = E_FAIL;
        }
        return DISP_E_EXCEPTION;
    }
}

LRESULT CALLBACK Control::received(HWND window, UINT message, WPARAM wide, LPARAM lng) {
    Control* self = reinterpret_cast<Control*>(GetWindowLongPtrW(window, GWLP_USERDATA));
    if (self && message == OpenApi::FIRE) return self->api_.fire_next(), 0;
    if (self && message == OpenApi::FLOOD) return self->api_.flood(), 0;
    if (self && message == OpenApi::ANSWER) return self->api_.answer(), 0;
    return DefWindowProcW(window, message, wide, lng);
}

STDMETHODIMP Control::SetClientSite(IOleClientSite* site) {
    if (site) site->AddRef();
    if (site_) site_->Release();
    site_ = site;
    return S_OK;
}

STDMETHODIMP Control::GetClientSite(IOleClientSite** site) {
    if ((*site = site_)) site_->AddRef();
    return S_OK;
}

STDMETHODIMP Control::DoVerb(LONG verb, LPMSG, IOleClientSite*, LONG, HWND, LPCRECT) {
    return verb == OLEIVERB_HIDE || window_ ? S_OK : activate();
}

HRESULT Control::activate() {
    IOleInPlaceSite* place = nullptr;
    if (!site_ || FAILED(site_->QueryInterface(IID_IOleInPlaceSite, reinterpret_cast<void**>(&place)))) return E_FAIL;
    HWND parent = nullptr;
    HRESULT result = place->CanInPlaceActivate() == S_OK ? place->GetWindow(&parent) : E_FAIL;
    if (SUCCEEDED(result)) {
        place->OnInPlaceActivate();
        WNDCLASSW kind = {};
        kind.lpfnWndProc = received;
        kind.hInstance = module;
        kind.lpszClassName = L"KoapyFakeControl";
        RegisterClassW(&kind);
        window_ = CreateWindowW(kind.lpszClassName, L"", WS_CHILD, 0, 0, 1, 1, parent, nullptr, module, nullptr);
        SetWindowLongPtrW(window_, GWLP_USERDATA, reinterpret_cast<LONG_PTR>(this));
        try {
            api_.open(window_);
        } catch (const Elsewhere&) {
            result = E_FAIL;
        }
    }
    place->Release();
    return result;
}

STDMETHODIMP Control::GetUserClassID(CLSID* id) { *id = COCLASS; return S_OK; }

STDMETHODIMP Control::GetMiscStatus(DWORD, DWORD* status) {
    *status = OLEMISC_INVISIBLEATRUNTIME | OLEMISC_SETCLIENTSITEFIRST;
    return S_OK;
}

STDMETHODIMP Control::FindConnectionPoint(REFIID id, IConnectionPoint** found) {
    *found = id == EVENTS ? &point_ : nullptr;
    if (!*found) return CONNECT_E_NOCONNECTION;
    AddRef();
    return S_OK;
}

STDMETHODIMP Control::GetClassInfo(ITypeInfo** found) { return load(COCLASS, found); }

STDMETHODIMP Control::GetGUID(DWORD kind, GUID* id) {
    if (kind != GUIDKIND_DEFAULT_SOURCE_DISP_IID) return E_INVALIDARG;
    *id = EVENTS;
    return S_OK;
}

}  // namespace koapy::fake
