// A CUDA driver without a GPU, for the engine's tests: memory is the processor's, kernels run on it (cuda_on_host.h), and
// what a stream is told happens at once, or with the graph where it is captured. Whoever includes it has defined KERNELS,
// a list of {"name", function, number of arguments}.
#include <cstring>
#include <functional>
#include <map>

typedef unsigned long long Address;
struct Kernel { const char *name; void (*function)(void **); int arguments; };
static Kernel kernels[] = { KERNELS };
typedef std::vector<std::function<void()>> Work;

enum { SUCCESS = 0, INVALID_VALUE = 1, INVALID_HANDLE = 400, NO_BINARY = 209, INVALID_PTX = 218, NOT_FOUND = 500, NO_DEVICE = 100 };

extern "C" {
// What a test may set and look at.
int devices = 1, major = 6, minor = 2, takes_cubin = 1, takes_ptx = 1;
int loaded_ptx = 0, graphs = 0, held = 0, waits = 0;
}

static Work *capturing = nullptr;
static bool entered = false;
static int unfinished = 0; // What was begun outside of the stream and not waited for.

static int enqueue(std::function<void()> what) {
    if (!entered || unfinished) return INVALID_VALUE;
    if (capturing) capturing->push_back(what); else what();
    return SUCCESS;
}

extern "C" {
int cuInit(unsigned) { return devices ? SUCCESS : NO_DEVICE; }
int cuDeviceGet(int *device, int) { *device = 0; return SUCCESS; }
int cuDevicePrimaryCtxRetain(void **context, int) { *context = &held; return SUCCESS; }
int cuDeviceGetName(char *name, int size, int) { std::snprintf(name, size, "a GPU on the host"); return SUCCESS; }
int cuDeviceGetAttribute(int *value, int which, int) { *value = which == 75 ? major : minor; return SUCCESS; }
int cuGetErrorName(int status, const char **name) {
    *name = status == NO_BINARY ? "CUDA_ERROR_NO_BINARY_FOR_GPU" : status == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX"
          : status == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR";
    return SUCCESS;
}
int cuCtxSetCurrent(void *context) { entered = context == &held; return entered ? SUCCESS : INVALID_VALUE; }
int cuCtxSynchronize() { return unfinished = 0, entered ? SUCCESS : INVALID_VALUE; }
int cuModuleLoadData(void **module, const void *image) {
    bool cubin = !std::memcmp(image, "\x7f" "ELF", 4);
    if (!cubin && !std::strstr((const char *)image, ".version")) return INVALID_VALUE;
    if (cubin ? !takes_cubin : !takes_ptx) return cubin ? NO_BINARY : INVALID_PTX;
    loaded_ptx = !cubin, held++;
    *module = kernels;
    return SUCCESS;
}
int cuModuleUnload(void *) { held--; return SUCCESS; }
int cuModuleGetFunction(void **function, void *, const char *name) {
    for (Kernel &kernel : kernels)
        if (!std::strcmp(kernel.name, name)) { *function = &kernel; return SUCCESS; }
    return NOT_FOUND;
}
int cuMemAlloc_v2(Address *address, std::size_t size) {
    *address = (Address)std::aligned_alloc(256, (size + 255) / 256 * 256);
    std::memset((void *)*address, 0xff, size); // NaN
    held++;
    return SUCCESS;
}
int cuMemFree_v2(Address address) { std::free((void *)address); held--; return SUCCESS; }
int cuMemAllocHost_v2(void **address, std::size_t size) { held++; *address = std::malloc(size); return SUCCESS; }
int cuMemFreeHost(void *address) { std::free(address); held--; return SUCCESS; }
int cuMemsetD8_v2(Address address, unsigned char value, std::size_t size) {
    std::memset((void *)address, value, size);
    return unfinished++, SUCCESS;
}
int cuMemcpyHtoD_v2(Address to, const void *from, std::size_t size) {
    std::memcpy((void *)to, from, size);
    return unfinished++, SUCCESS;
}
int cuMemcpyHtoDAsync_v2(Address to, const void *from, std::size_t size, void *) {
    return enqueue([=] { std::memcpy((void *)to, from, size); });
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, std::size_t size, void *) {
    return enqueue([=] { std::memcpy(to, (void *)from, size); });
}
int cuStreamCreate(void **stream, unsigned) { *stream = &waits; held++; return SUCCESS; }
int cuStreamDestroy_v2(void *) { held--; return SUCCESS; }
int cuStreamSynchronize(void *) { waits++; return SUCCESS; }
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned threads, unsigned ty, unsigned tz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
    Kernel *kernel = (Kernel *)function;
    if (gz != 1 || ty != 1 || tz != 1 || shared || extra || stream != &waits) return INVALID_VALUE;
    std::vector<void *> values; // Read now: the parameters need not outlive the call.
    for (int i = 0; i < kernel->arguments; i++) values.push_back(*(void **)parameters[i]);
    return enqueue([=]() mutable { on_host(kernel->function, values.data(), gx, gy, threads, 0); });
}
int cuStreamBeginCapture_v2(void *, int mode) { capturing = new Work; return mode == 2 ? SUCCESS : INVALID_VALUE; }
int cuStreamEndCapture(void *, void **graph) { *graph = capturing, capturing = nullptr; return SUCCESS; }
int cuGraphInstantiate(void **ready, void *graph, void *, char *, std::size_t) { *ready = new Work(*(Work *)graph); held++; return SUCCESS; }
int cuGraphDestroy(void *graph) { delete (Work *)graph; return SUCCESS; }
int cuGraphExecDestroy(void *ready) { delete (Work *)ready; held--; return SUCCESS; }
int cuGraphLaunch(void *ready, void *) {
    graphs++;
    for (auto &what : *(Work *)ready) what();
    return SUCCESS;
}
}
