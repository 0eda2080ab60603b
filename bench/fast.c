// What method fast gains over differences first: both on the same data, taking turns, on one device. Medians of time
// and of processor time, of ratios within a round, and how much fast computed by differences after all.
//
// K goes to memory that was written before; on a device that is no CPU to a buffer of its own, for there the way home
// would be most of the time.
#include "common.h"

#include <isogram/isogram.h>
#include <isogram/opencl.h>

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_DIMS = 8, MAX_ROUNDS = 100 };

typedef struct options {
    int64_t n, dims[MAX_DIMS];
    int dim_count, rounds;
    bool only[2];              // f32, f64
    const char *device, *data; // data: only these; NULL: all
} options;

static void check(isg_context *context, isg_status st)
{
    if (st)
        fail(isg_context_error(context)->message);
}

// xorshift64* (Vigna 2016), 53 bits in [0, 1).
static double uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

// Box and Muller 1958.
static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(1 - uniform(state)));
    return radius * cos(6.283185307179586 * uniform(state));
}

// easy: N(0, 1). far: N(1000, 1). clusters: at 10 and -10, 0.05 wide, each half of the points, in any order.
static void fill(isg_dtype dtype, void *x, int64_t n, int64_t d, const char *data, uint64_t seed)
{
    bool far = strcmp(data, "far") == 0, clusters = strcmp(data, "clusters") == 0;
    uint64_t state = seed;
    for (int64_t i = 0; i < n; i++) {
        double centre = clusters ? (uniform(&state) < 0.5 ? 10 : -10) : far ? 1000 : 0;
        for (int64_t k = 0; k < d; k++) {
            double v = centre + (clusters ? 0.05 : 1) * normal(&state);
            if (dtype == ISG_F64)
                ((double *)x)[i * d + k] = v;
            else
                ((float *)x)[i * d + k] = (float)v;
        }
    }
}

static double processor_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

typedef struct shot {
    double wall, processor;
} shot;

static shot take(isg_context *context, isg_gram *gram, isg_array k)
{
    double wall = isg_seconds(), processor = processor_seconds();
    check(context, isg_gram_dense(gram, k));
    return (shot){isg_seconds() - wall, processor_seconds() - processor};
}

static void run(isg_context *context, const options *o, isg_dtype dtype, int64_t d, const char *data, isg_array k)
{
    size_t element = isg_dtype_bytes(dtype);
    void *x = need(isg_alloc(o->n * d, element)), *y = need(isg_alloc(o->n * d, element));
    fill(dtype, x, o->n, d, data, 1);
    fill(dtype, y, o->n, d, data, 2);
    for (int two = 0; two < 2; two++) {
        isg_gram *grams[2];
        double wall[2][MAX_ROUNDS], processor[2][MAX_ROUNDS], ratio[MAX_ROUNDS], cost[MAX_ROUNDS];
        isg_fast_report report;
        for (int fast = 0; fast < 2; fast++) {
            isg_gram_params params = {.x = isg_matrix(dtype, x, o->n, d),
                                      .gamma = 0.5 / (double)d,
                                      .method = fast ? ISG_METHOD_FAST : ISG_METHOD_CONTRACT};
            if (two)
                params.y = isg_matrix(dtype, y, o->n, d);
            check(context, isg_gram_create(context, &grams[fast], &params));
            take(context, grams[fast], k); // compiles
        }
        for (int round = 0; round < o->rounds; round++) {
            for (int turn = 0; turn < 2; turn++) {
                int fast = (round + turn) % 2;
                shot s = take(context, grams[fast], k);
                wall[fast][round] = s.wall;
                processor[fast][round] = s.processor;
            }
            ratio[round] = wall[0][round] / wall[1][round];
            cost[round] = processor[0][round] / processor[1][round];
        }
        check(context, isg_gram_fast_report(grams[1], &report));
        printf("| %s | %" PRId64 " | %s | %s | %.4g | %.4g | %.2f | %.4g | %.4g | %.2f | %.3g %% |\n",
               dtype_word(dtype), d, two ? "K(X, Y)" : "K(X, X)", data, 1e3 * median(wall[0], o->rounds),
               1e3 * median(wall[1], o->rounds), median(ratio, o->rounds), 1e3 * median(processor[0], o->rounds),
               1e3 * median(processor[1], o->rounds), median(cost, o->rounds),
               100 * report.recomputed / report.elements);
        fflush(stdout);
        isg_gram_destroy(&grams[0]);
        isg_gram_destroy(&grams[1]);
    }
    free(x);
    free(y);
}

static void usage(void)
{
    fprintf(stderr, "fast [--device SPEC] [--n N] [--d D]... [--dtype f32|f64] [--data NAME] [--rounds N]\n"
                    "  --n       points (4096)\n"
                    "  --d       their coordinates; several are measured in the order given (16 64 256 784)\n"
                    "  --dtype   only this precision\n"
                    "  --data    only these: easy, far or clusters\n"
                    "  --rounds  that are timed; one more comes before them (7)\n");
    exit(2);
}

static int64_t positive(const char *text, int64_t most)
{
    char *end;
    long long value = strtoll(text, &end, 0);
    if (*end || value < 1 || value > most)
        usage();
    return value;
}

static options parse(int argc, char **argv)
{
    options o = {.n = 4096, .rounds = 7, .only = {true, true}};
    const struct option known[] = {{"device", required_argument, NULL, 'D'},
                                   {"n", required_argument, NULL, 'n'},
                                   {"d", required_argument, NULL, 'd'},
                                   {"dtype", required_argument, NULL, 't'},
                                   {"rounds", required_argument, NULL, 'r'},
                                   {"data", required_argument, NULL, 'a'},
                                   {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 'D': o.device = optarg; break;
        case 'n': o.n = positive(optarg, 1 << 16); break;
        case 'd':
            if (o.dim_count == MAX_DIMS)
                usage();
            o.dims[o.dim_count++] = positive(optarg, 1 << 16);
            break;
        case 't':
            if (strcmp(optarg, "f32") != 0 && strcmp(optarg, "f64") != 0)
                usage();
            o.only[strcmp(optarg, "f32") == 0] = false;
            break;
        case 'a': o.data = optarg; break;
        case 'r': o.rounds = (int)positive(optarg, MAX_ROUNDS); break;
        default: usage();
        }
    }
    if (optind < argc)
        usage();
    const int64_t usual[] = {16, 64, 256, 784};
    if (o.dim_count == 0) {
        memcpy(o.dims, usual, sizeof usual);
        o.dim_count = COUNT(usual);
    }
    return o;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    isg_context *context;
    isg_error error = {ISG_OK, ""};
    if (isg_context_create(&context, isg_context_params(.device = o.device, .error = &error)) != ISG_OK)
        fail(error.message);
    const isg_device *device = isg_context_device(context);
    printf("%s; rbf, n = %" PRId64 ", medians of %d rounds; gain: contract over fast, within a round\n\n", device->name,
           o.n, o.rounds);
    printf("| | d | matrix | data | contract, ms | fast, ms | gain | contract, CPU ms | fast, CPU ms | gain | "
           "recomputed |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (int wide = 0; wide < 2; wide++) {
        isg_dtype dtype = wide ? ISG_F64 : ISG_F32;
        int64_t bytes = o.n * o.n * (int64_t)isg_dtype_bytes(dtype);
        if (!o.only[wide])
            continue;
        cl_int code;
        cl_mem mem = NULL;
        void *host = NULL;
        isg_array k = isg_matrix(dtype, NULL, o.n, o.n);
        if (device->device_class != ISG_DEVICE_CPU) {
            mem = clCreateBuffer(isg_context_cl_context(context), CL_MEM_READ_WRITE, (size_t)bytes, NULL, &code);
            if (code != CL_SUCCESS)
                fail("no memory on the device");
            k = isg_matrix_mem(dtype, mem, 0, o.n, o.n);
        } else {
            host = need(isg_alloc_large(bytes));
            memset(host, 1, (size_t)bytes);
            k.data = host;
        }
        const char *const data[] = {"easy", "far", "clusters"};
        for (int i = 0; i < o.dim_count; i++)
            for (size_t a = 0; a < COUNT(data); a++)
                if (!o.data || strcmp(o.data, data[a]) == 0)
                    run(context, &o, dtype, o.dims[i], data[a], k);
        free(host);
        if (mem)
            clReleaseMemObject(mem);
    }
    isg_context_destroy(&context);
    return EXIT_SUCCESS;
}
