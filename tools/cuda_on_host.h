// CUDA C on an ordinary processor: what the generated kernels use of CUDA, and nothing else. One block after the other;
// its threads are fibers that run one after the other from barrier to barrier, upwards or downwards. A kernel in which a
// barrier is missing gives different answers in the two orders; one whose threads do not all reach it ends the process.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <algorithm>
#include <vector>
#include <ucontext.h>

#define __global__
#define __shared__ static
#define __launch_bounds__(...)
using std::max;
using std::min;
typedef unsigned char uchar;
struct alignas(16) float4 { float x, y, z, w; };
#define alignas(n) __attribute__((aligned(n))) // which, unlike C++'s own, may stand after `static`
struct Index { int x, y, z; };
static Index blockIdx, threadIdx;

static const std::size_t STACK = 65536;
static ucontext_t scheduler;
static std::vector<ucontext_t> fibers;
static std::vector<char> done;
static int running;
static void (*kernel)(void **);
static void **arguments;

static void __syncthreads() { swapcontext(&fibers[running], &scheduler); }

static void whole_thread() {
    kernel(arguments);
    done[running] = 1;
}

// Runs a kernel over a grid of gx x gy blocks.
static void on_host(void (*function)(void **), void **args, int gx, int gy, int threads, int downwards) {
    static std::vector<char> stacks;
    stacks.resize(std::max(stacks.size(), STACK * threads));
    kernel = function, arguments = args;
    for (blockIdx.y = 0; blockIdx.y < gy; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < gx; blockIdx.x++) {
            fibers.assign(threads, ucontext_t()), done.assign(threads, 0);
            for (int i = 0; i < threads; i++) {
                getcontext(&fibers[i]);
                fibers[i].uc_stack.ss_sp = &stacks[STACK * i], fibers[i].uc_stack.ss_size = STACK;
                fibers[i].uc_link = &scheduler;
                makecontext(&fibers[i], whole_thread, 0);
            }
            for (int finished = 0; finished < threads;) {
                for (int i = 0; i < threads; i++) {
                    running = downwards ? threads - 1 - i : i;
                    threadIdx.x = running;
                    swapcontext(&scheduler, &fibers[running]);
                }
                finished = std::count(done.begin(), done.end(), 1);
                if (finished && finished < threads) {
                    std::fprintf(stderr, "%d of %d threads wait at a barrier that the others never reach\n", threads - finished, threads);
                    std::abort();
                }
            }
        }
}
