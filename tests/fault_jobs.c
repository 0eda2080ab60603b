// The inputs of the jobs, their folder, and those of operators.
#include "fault_jobs.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

float fault_x[FAULT_ROWS * FAULT_DIMS], fault_y[FAULT_COLS * FAULT_DIMS], fault_v[FAULT_ROWS * FAULT_COLUMNS];
double fault_wide[FAULT_ROWS * FAULT_DIMS];
uint8_t fault_volume[FAULT_DEPTH * FAULT_HEIGHT * FAULT_WIDTH];
_Alignas(64) unsigned char fault_result[FAULT_RESULT_BYTES];

const fault_job *const fault_jobs[4] = {fault_jobs_of_operators, fault_jobs_of_images, fault_jobs_of_files,
                                        fault_jobs_of_devices};

bool fault_lasts;
static char folder[] = "/tmp/isogram-faults-XXXXXX";

bool fault_begin(void)
{
    suite_random random = suite_stream(7);
    for (size_t i = 0; i < COUNT(fault_x); i++)
        fault_x[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(fault_y); i++)
        fault_y[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(fault_v); i++)
        fault_v[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(fault_wide); i++)
        fault_wide[i] = random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(fault_volume); i++)
        fault_volume[i] = (uint8_t)random_bits(&random);
    return mkdtemp(folder) && chdir(folder) == 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind;
    (void)place;
    return remove(path);
}

bool fault_remove(const char *path)
{
    return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0;
}

bool fault_end(void)
{
    return chdir("/") == 0 && fault_remove(folder);
}

isg_status fault_broken(isg_error *error, const char *what)
{
    error->status = ISG_STATUS_COUNT;
    snprintf(error->message, sizeof error->message, "%s", what);
    return error->status;
}

static isg_status with_gram(isg_context *context, isg_error *error, const isg_gram_params *params,
                            isg_status (*use)(isg_gram *gram))
{
    isg_gram *gram = (isg_gram *)&gram;
    isg_status st = isg_gram_create(context, &gram, params);
    if ((gram != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st)
        st = use(gram);
    isg_gram_destroy(&gram);
    return st;
}

#define RBF_X  isg_gram_params(.sigma = 0.5, .x = FAULT_X)
#define RBF_XY isg_gram_params(.sigma = 0.5, .x = FAULT_X, .y = FAULT_Y)

// JOB(name, operator, what is done with it)
#define JOB(name, params, call)                                                                                        \
    static isg_status name##_use(isg_gram *gram)                                                                       \
    {                                                                                                                  \
        return call;                                                                                                   \
    }                                                                                                                  \
    static isg_status name(isg_context *context, isg_error *error)                                                     \
    {                                                                                                                  \
        return with_gram(context, error, params, name##_use);                                                          \
    }

JOB(dense, RBF_X, isg_gram_dense(gram, fault_out(ISG_F32, 0, FAULT_ROWS, FAULT_ROWS)))
JOB(tile, RBF_XY, isg_gram_tile(gram, 3, 5, fault_out(ISG_F32, 0, 60, 50)))
// Neither rows nor columns of it are in one piece.
JOB(scattered, RBF_XY, isg_gram_tile(gram, 3, 5, (isg_array){ISG_F32, 2, {60, 50}, {120, 2}, fault_result, NULL, 0}))
JOB(half, RBF_XY, isg_gram_dense(gram, fault_out(ISG_F16, 0, FAULT_ROWS, FAULT_COLS)))
JOB(packed, RBF_X, isg_gram_packed(gram, isg_vector(ISG_F32, fault_result, FAULT_ROWS *(FAULT_ROWS + 1) / 2)))
JOB(diagonal, RBF_X, isg_gram_diagonal(gram, isg_vector(ISG_F32, fault_result, FAULT_ROWS)))
JOB(wide,
    isg_gram_params(.kernel = isg_kernel_find("cosine"), .x = isg_matrix_f64(fault_wide, FAULT_ROWS, FAULT_DIMS),
                    .precision = ISG_PRECISION_F64),
    isg_gram_dense(gram, fault_out(ISG_F64, 0, FAULT_ROWS, FAULT_ROWS)))
JOB(apply, RBF_XY,
    isg_gram_apply(gram, isg_matrix_f32(fault_v, FAULT_COLS, 3), fault_out(ISG_F32, 0, FAULT_ROWS, 3), NULL))
JOB(apply_many, RBF_XY,
    isg_gram_apply(gram, isg_matrix_f32(fault_v, FAULT_COLS, FAULT_COLUMNS),
                   fault_out(ISG_F32, 0, FAULT_ROWS, FAULT_COLUMNS), NULL))
JOB(sums, RBF_XY, isg_gram_reduce(gram, isg_reduce_params(.out = isg_vector(ISG_F32, fault_result, FAULT_ROWS))))
JOB(extremes, RBF_XY,
    isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LARGEST, .count = 3,
                                            .out = fault_out(ISG_F32, 0, FAULT_ROWS, 3),
                                            .indices = fault_out(ISG_I64, 4096, FAULT_ROWS, 3))))
JOB(logsumexp, RBF_XY,
    isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP,
                                            .out = isg_vector(ISG_F32, fault_result, FAULT_ROWS))))
JOB(means, RBF_XY,
    isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .v = isg_matrix_f32(fault_v, FAULT_COLS, 3),
                                            .out = fault_out(ISG_F32, 0, FAULT_ROWS, 3))))
JOB(skipped_blocks, isg_gram_params(.sigma = 0.02, .x = FAULT_X, .y = FAULT_Y),
    isg_gram_apply(gram, isg_matrix_f32(fault_v, FAULT_COLS, 3), fault_out(ISG_F32, 0, FAULT_ROWS, 3),
                   isg_apply_params(.skip = ISG_SKIP_ALWAYS)))
JOB(gradient, RBF_XY,
    isg_gram_gradient(gram, isg_gradient_params(.v = isg_matrix_f32(fault_v, FAULT_ROWS, 1),
                                                .w = isg_matrix_f32(fault_v, FAULT_COLS, 1),
                                                .x = fault_out(ISG_F32, 0, FAULT_ROWS, FAULT_DIMS),
                                                .y = fault_out(ISG_F32, 4096, FAULT_COLS, FAULT_DIMS),
                                                .parameters = (double *)(void *)(fault_result + 8192))))

static isg_status fast_use(isg_gram *gram)
{
    isg_fast_report report;
    isg_status st = isg_gram_dense(gram, fault_out(ISG_F32, 0, FAULT_ROWS, FAULT_ROWS));
    return st ? st : isg_gram_fast_report(gram, &report);
}

static isg_status fast(isg_context *context, isg_error *error)
{
    return with_gram(context, error, isg_gram_params(.sigma = 0.5, .x = FAULT_X, .method = ISG_METHOD_FAST), fast_use);
}

static isg_status measured_gram_use(isg_gram *gram)
{
    isg_gram_limits limits;
    return isg_gram_measure(gram, &limits);
}

static isg_status measured_gram(isg_context *context, isg_error *error)
{
    return with_gram(context, error, RBF_X, measured_gram_use);
}

// Rows that are left out, factors, lengthscales and a composite: what the operator keeps copies of.
static isg_status composite(isg_context *context, isg_error *error)
{
    static const double lengthscales[FAULT_DIMS] = {1, 2, 3, 4, 5};
    static uint8_t include[FAULT_ROWS];
    static double factors[FAULT_ROWS];
    for (int i = 0; i < FAULT_ROWS; i++) {
        include[i] = i % 3 != 0;
        factors[i] = 1 + i % 7;
    }
    isg_composite *text = NULL, *scaled = NULL, *single = NULL, *sum = NULL, *product = NULL;
    isg_gram *gram = NULL;
    char written[200];
    isg_status st = isg_kernel_parse(&text, "2 * rbf(sigma=0.5) + matern32(lengthscale=2)", error);
    if (!st)
        st = isg_kernel_single(&single, isg_kernel_params(.sigma = 2), error);
    if (!st)
        st = isg_kernel_multiple(&scaled, 0.5, single, error);
    if (!st)
        st = isg_kernel_sum(&sum, text, scaled, error);
    if (!st)
        st = isg_kernel_product(&product, sum, single, error);
    if (!st && isg_composite_text(product, written, sizeof written) == 0)
        st = fault_broken(error, "a composite without a text");
    if (!st)
        st = isg_gram_create(
            context, &gram,
            isg_gram_params(.composite = product, .x = FAULT_X, .include = include, .factors = factors));
    if (!st)
        st = isg_gram_dense(gram, fault_out(ISG_F32, 0, FAULT_ROWS / 3 * 2, FAULT_ROWS / 3 * 2));
    isg_gram_destroy(&gram);
    if (!st)
        st = isg_gram_create(context, &gram, isg_gram_params(.x = FAULT_X, .lengthscales = lengthscales));
    if (!st)
        st = isg_gram_dense(gram, fault_out(ISG_F32, 65536, FAULT_ROWS, FAULT_ROWS));
    isg_gram_destroy(&gram);
    isg_composite *const all[] = {text, scaled, single, sum, product};
    for (size_t i = 0; i < COUNT(all); i++) {
        isg_composite *one = all[i];
        isg_composite_destroy(&one);
    }
    return st;
}

static isg_status cluster(isg_context *context, isg_error *error)
{
    (void)context;
    return isg_gram_cluster(FAULT_X, NULL, (int64_t *)(void *)fault_result, error);
}

const fault_job fault_jobs_of_operators[] = {
    {.name = "dense", .run = dense},
    {.name = "tile", .run = tile},
    {.name = "scattered", .run = scattered},
    {.name = "half", .run = half},
    {.name = "packed", .run = packed},
    {.name = "diagonal", .run = diagonal},
    {.name = "fast", .run = fast, .modern = true},
    {.name = "wide", .run = wide, .doubles = true},
    {.name = "apply", .run = apply},
    {.name = "apply_many", .run = apply_many},
    {.name = "sums", .run = sums},
    {.name = "extremes", .run = extremes},
    {.name = "logsumexp", .run = logsumexp},
    {.name = "means", .run = means},
    {.name = "skipped_blocks", .run = skipped_blocks},
    {.name = "gradient", .run = gradient},
    {.name = "composite", .run = composite},
    {.name = "cluster", .run = cluster},
    {.name = "measured_gram", .run = measured_gram, .timed = true},
    {.name = NULL},
};
