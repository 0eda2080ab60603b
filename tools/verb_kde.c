// isogram kde: a Gaussian kernel density estimate at given places or on a grid.
#include "reduction.h"
#include "verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_WEIGHTS = OPTION_VERB, OPTION_SIGMA_ONLY, OPTION_DENSITY, OPTION_GRID };

static void help(void)
{
    printf(
        "usage: isogram kde X.npy [PLACES.npy] --sigma S -o OUT.npy [options]\n\n"
        "The logarithm of the density of the rows of X (m x d) at the rows of PLACES (n x d; left out: X itself), "
        "estimated\n"
        "with Gaussians of standard deviation S around the former. - reads standard input.\n\n"
        "      --sigma S         the bandwidth\n"
        "      --weights W.npy   how much each row of X counts\n"
        "      --grid R,C        of two-dimensional X: R x C places, the rows along the second coordinate downwards,\n"
        "                        which reach 3 S beyond the data; OUT is R x C then, and --plot gives its picture\n"
        "      --density         the density itself\n%s%s%s\n"
        "The precision is f64 when X or PLACES is double or has 32- or 64-bit integers, else f32.\n",
        skip_help, cluster_help, common_help);
}

typedef struct kde_options {
    reduction_job job;
    const char *weights, *grid;
    double sigma, size[2]; // size: of the grid, rows and columns
    bool density;
} kde_options;

static bool take_option(kde_options *o, int option, char *value)
{
    const double most = 1 << 15;
    switch (option) {
    case OPTION_SIGMA_ONLY:
        return (parse_double(value, &o->sigma) && o->sigma > 0 && isfinite(o->sigma)) ||
               (misuse("--sigma '%s'; it is a positive number", value), false);
    case OPTION_WEIGHTS: o->weights = value; return true;
    case OPTION_DENSITY: o->density = true; return true;
    case OPTION_GRID:
        o->grid = value;
        for (int i = 0; parse_doubles(value, o->size, 2) == 2 && i < 2; i++)
            if (!(o->size[i] >= 1 && o->size[i] <= most) || floor(o->size[i]) != o->size[i])
                o->size[i] = 0;
        return (o->size[0] > 0 && o->size[1] > 0) ||
               (misuse("--grid '%s'; it is ROWS,COLUMNS, of 1 to %g each", value, most), false);
    default: return take_reduction_option(&o->job, option, value);
    }
}

static bool settle(kde_options *o, int count, char **names)
{
    reduction_job *job = &o->job;
    if (count < 1)
        return misuse("which points? 'isogram kde X.npy PLACES.npy --sigma 0.5 -o OUT.npy'"), false;
    if (count > 2 || (count > 1 && o->grid))
        return misuse("'%s' is one argument too many", names[count - 1]), false;
    if (o->sigma == 0)
        return misuse("which bandwidth? --sigma S"), false;
    if (job->common.plot && !o->grid)
        return misuse("a picture is of a --grid"), false;
    if (!job->common.output && !job->common.plot && !job->common.json)
        return misuse("what for? give --output, --plot or --json"), false;
    job->operator.x = count> 1 ? names[1] : names[0];
    job->operator.y = count> 1 ? names[0] : NULL;
    job->operator.params.sigma = o->sigma;
    const char *const inputs[] = {o->weights}, *const outputs[] = {job->common.output, job->common.plot};
    return settle_operator(&job->operator, inputs, 1, outputs, 2) && check_common_options(&job->common);
}

// The grid's places over the data's extent, which become X, and the data Y.
static int make_grid(kde_options *o, double **places)
{
    isg_gram_params *p = &o->job.operator.params;
    const isg_array *x = &p->x;
    const int64_t rows = (int64_t)o->size[0], columns = (int64_t)o->size[1];
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    if (x->ndim != 2 || x->shape[1] != 2)
        return complain("%s: a grid is for points with two coordinates", o->job.operator.x);
    for (int64_t i = 0; i < x->shape[0]; i++)
        for (int k = 0; k < 2; k++) {
            double v = isg_load_double(x->dtype, x->data, i * x->strides[0] + k * x->strides[1]);
            low[k] = fmin(low[k], v - 3 * o->sigma);
            high[k] = fmax(high[k], v + 3 * o->sigma);
        }
    *places = malloc((size_t)(rows * columns * 2) * sizeof **places);
    if (!*places)
        return complain("no memory for a grid of %lld places", (long long)(rows * columns));
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            double *to = *places + (r * columns + c) * 2;
            to[0] = columns > 1 ? low[0] + (high[0] - low[0]) * (double)c / (double)(columns - 1) : low[0];
            to[1] = rows > 1 ? high[1] - (high[1] - low[1]) * (double)r / (double)(rows - 1) : high[1];
        }
    if (o->job.common.precision == ISG_PRECISION_DEFAULT && x->dtype == ISG_F32)
        o->job.common.precision = ISG_PRECISION_F32; // as the data has it; the grid is a double's
    p->y = p->x;
    p->y_name = p->x_name;
    p->x = isg_matrix_f64(*places, rows * columns, 2);
    p->x_name = "the grid";
    return EXIT_DONE;
}

// From log(sum of weights times exponentials) to the density: less log of the weights' sum and of a Gaussian's
// integral.
static void normalise(const kde_options *o, const isg_array *out, int64_t count, int64_t m, const isg_array *weights)
{
    int64_t d;
    double total = weights ? 0 : (double)m;
    isg_gram_shape(o->job.gram, NULL, NULL, &d);
    for (int64_t j = 0; weights && j < m; j++)
        total += isg_load_double(weights->dtype, weights->data, j * weights->strides[0]);
    const double pi = 3.14159265358979323846;
    const double less = log(total) + (double)d * (log(o->sigma) + log(2 * pi) / 2);
    for (int64_t i = 0; i < count; i++) {
        double v = isg_load_double(out->dtype, out->data, i) - less;
        isg_store_double(out->dtype, out->data, i, o->density ? exp(v) : v);
    }
}

static int run(kde_options *o, isg_npy **weights, double **places)
{
    reduction_job *job = &o->job;
    isg_error error = {ISG_OK, ""};
    int64_t shape[2] = {(int64_t)o->size[0], (int64_t)o->size[1]}, n, m;
    if (o->weights && isg_npy_open(weights, o->weights, &error))
        return complain("%s", error.message);
    if (read_operator(&job->operator) || (o->grid && make_grid(o, places)) || reduction_open(job) ||
        reduction_make(job))
        return EXIT_FAILED;
    isg_gram_shape(job->gram, &n, &m, NULL);
    if (!o->grid)
        shape[0] = n;
    if (reduction_create(job, isg_gram_dtype(job->gram), o->grid ? 2 : 1, shape))
        return EXIT_FAILED;
    const isg_array *out = isg_npy_array(job->out);
    isg_reduce_params params = {.reduction = ISG_REDUCE_LOGSUMEXP, .out = isg_vector(out->dtype, out->data, n)};
    if (o->weights)
        params.weights = *isg_npy_array(*weights);
    if (reduction_run(job, params))
        return EXIT_FAILED;
    normalise(o, out, n, m, o->weights ? isg_npy_array(*weights) : NULL);
    cJSON *report = reduction_report(job, "kde");
    cJSON_AddNumberToObject(report, "sigma", o->sigma);
    return reduction_finish(job, "kde", o->density ? "density" : "log dens.", report);
}

int verb_kde(int argc, char **argv)
{
    static const struct option table[] = {{"sigma", required_argument, 0, OPTION_SIGMA_ONLY},
                                          {"weights", required_argument, 0, OPTION_WEIGHTS},
                                          {"grid", required_argument, 0, OPTION_GRID},
                                          {"density", no_argument, 0, OPTION_DENSITY},
                                          SKIP_OPTION,
                                          CLUSTER_OPTION,
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    kde_options o = {.sigma = 0};
    isg_npy *weights = NULL;
    double *places = NULL;
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    int code = settle(&o, argc - optind, argv + optind) ? run(&o, &weights, &places) : unsettled(&o.job.operator);
    reduction_free(&o.job);
    isg_npy_close(&weights);
    free(places);
    return code;
}
