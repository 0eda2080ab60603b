// isogram grid: a Gaussian grid, by options or by the name of a recipe.
#include "deliver.h"
#include "report.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_SIZE = OPTION_OWN,
    OPTION_NDIM,
    OPTION_SIGMA,
    OPTION_SAMPLING,
    OPTION_NORMALIZE,
    OPTION_FROM,
    OPTION_TO,
    OPTION_LIKE,
    OPTION_NSIG,
    OPTION_COVARIANCE,
    OPTION_ANGLE,
    OPTION_ORDER,
    OPTION_WAVELENGTH,
    OPTION_FREQUENCY,
    OPTION_WAVE,
    OPTION_PHASE,
    OPTION_QUADRATURE,
    OPTION_BANDWIDTH,
    OPTION_GAMMA
};

static void help(void)
{
    printf("usage: isogram grid --size N|RxC|DxHxW... --sigma S[,S...] [options]\n\n"
           "      --size N          samples on each axis; N alone means N x N\n"
           "      --ndim D          axes of a grid whose size is one number, 1 to 4 (default 2)\n"
           "      --sigma S[,S...]  in samples; one for all axes, or one each\n"
           "      --sampling MODE   point: the Gaussian at each sample (default)\n"
           "                        integrated: its integral over each cell; right for a sensor's pixels\n"
           "                        bessel: the discrete Gaussian of scale space\n"
           "                        delta: an impulse through a truncated filter whose tails fold back\n"
           "                        None of them is the accurate one for every purpose.\n"
           "      --normalize MODE  sum (default), none, max or density\n"
           "      --from A[,B...]   coordinate of the first sample on each axis (integrated: outer edge of the first "
           "cell);\n"
           "      --to A[,B...]     of the last. Default: -(N-1)/2 to (N-1)/2 (integrated: -N/2 to N/2)\n"
           "      --like NAME       a recipe, which other options override:\n");
    for (const isg_grid_recipe *r = isg_grid_recipes(); r->name; r++)
        printf("                          %-12s %s\n", r->name, r->summary);
    printf(
        "      --nsig S          half-width in sigmas, for gkern, gkern-sqrt and the sizes of gabor-... (default 3)\n"
        "Rotated Gaussians, derivatives and Gabor functions, sampled at points:\n"
        "      --covariance A,B,C,D  row by row, of 1 to 3 axes, in place of sigma: exp(-x' C^-1 x / 2)\n"
        "      --angle DEG       from columns towards rows: --sigma S,T is then S across, T along that direction\n"
        "      --order N[,N...]  of the derivative on each axis, 0 to 4; with --angle across and along it\n"
        "      --wavelength L    a Gabor function: times cos(2 pi u / L + phase), u along the angle; or\n"
        "      --frequency F     cos(2 pi F u + phase); or\n"
        "      --wave F,G[,H]    cos(2 pi (F x0 + G x1 + H x2) + phase)\n"
        "      --phase DEG       (OpenCV's default psi is 90)\n"
        "      --quadrature      sin in place of cos\n"
        "      --bandwidth B     in octaves, in place of sigma: as scikit-image has it\n"
        "      --gamma G         --sigma S is then S along the wave, S/G across\n"
        "%s\n"
        "Without --output, --plot and --json the grid is printed as text.\n",
        common_help);
}

// "21", "4x6", "3x5x7": the number of axes, or -1.
static int parse_size(const char *text, int64_t *size)
{
    for (int count = 0; count < ISG_GRID_MAX_NDIM; count++) {
        char *end;
        size[count] = strtoll(text, &end, 10);
        if (end == text || (*end != 0 && *end != 'x') || size[count] < 1 || size[count] == INT64_MAX)
            return -1;
        if (*end == 0)
            return count + 1;
        text = end + 1;
    }
    return -1;
}

typedef struct grid_options {
    common_options common;
    isg_grid_params params;
    int64_t ndim;                  // as asked for; 0: not
    int sizes, sigmas, froms, tos; // how many values were given
    int covariances, orders, waves;
} grid_options;

// Orders "N,N,…"; the count or -1.
static int parse_orders(const char *text, int32_t *orders)
{
    double given[ISG_GRID_MAX_NDIM];
    int count = parse_doubles(text, given, ISG_GRID_MAX_NDIM);
    for (int i = 0; i < count; i++) {
        if (!(given[i] >= 0 && given[i] <= 4) || given[i] != (int32_t)given[i])
            return -1;
        orders[i] = (int32_t)given[i];
    }
    return count;
}

// A number that is not 0, which would mean the default.
static bool take_number(const char *name, const char *value, double *to)
{
    return (parse_double(value, to) && *to != 0) ||
           (misuse("%s '%s'; it is a number other than 0", name, value), false);
}

// What makes grids that are no products of profiles. False after a usage error, which has been printed.
static bool take_shape_option(grid_options *o, int option, const char *value)
{
    isg_grid_params *p = &o->params;
    switch (option) {
    case OPTION_COVARIANCE:
        o->covariances = parse_doubles(value, p->covariance, 9);
        return o->covariances == 1 || o->covariances == 4 || o->covariances == 9 ||
               (misuse("--covariance '%s'; it is 1, 4 or 9 numbers, row by row", value), false);
    case OPTION_ORDER:
        o->orders = parse_orders(value, p->order);
        return o->orders > 0 || (misuse("--order '%s'; it is 0 to 4, or one for each axis", value), false);
    case OPTION_WAVE:
        o->waves = parse_doubles(value, p->wave, 3);
        return o->waves > 0 || (misuse("--wave '%s'; it is a number for each axis, of 1 to 3", value), false);
    case OPTION_ANGLE: return parse_double(value, &p->angle) || (misuse("--angle '%s'; it is a number", value), false);
    case OPTION_PHASE: return parse_double(value, &p->phase) || (misuse("--phase '%s'; it is a number", value), false);
    case OPTION_QUADRATURE: p->quadrature = 1; return true;
    case OPTION_WAVELENGTH: return take_number("--wavelength", value, &p->wavelength);
    case OPTION_FREQUENCY: return take_number("--frequency", value, &p->frequency);
    case OPTION_BANDWIDTH: return take_number("--bandwidth", value, &p->bandwidth);
    default: return take_number("--gamma", value, &p->gamma);
    }
}

// A word among the names of an enumeration, or 0.
static int named(const char *word, int count, const char *(*name_of)(int))
{
    for (int i = 1; i < count; i++)
        if (strcmp(name_of(i), word) == 0)
            return i;
    return 0;
}

static const char *sampling_name(int i)
{
    return isg_sampling_name((isg_sampling)i);
}

static const char *normalize_name(int i)
{
    return isg_normalize_name((isg_normalize)i);
}

// False after a usage error, which has been printed.
static bool take_option(grid_options *o, int option, const char *value)
{
    switch (option) {
    case OPTION_SIZE:
        o->sizes = parse_size(value, o->params.size);
        return o->sizes > 0 ||
               (misuse("--size '%s'; it is N, RxC, DxHxW or four numbers, each at least 1", value), false);
    case OPTION_NDIM:
        return (parse_int(value, &o->ndim) && o->ndim >= 1 && o->ndim <= ISG_GRID_MAX_NDIM) ||
               (misuse("--ndim '%s'; it is 1 to %d", value, ISG_GRID_MAX_NDIM), false);
    case OPTION_SIGMA:
        o->sigmas = parse_doubles(value, o->params.sigma, ISG_GRID_MAX_NDIM);
        for (int i = 0; i < o->sigmas; i++) // 0 would mean the default
            if (o->params.sigma[i] == 0)
                o->sigmas = -1;
        return o->sigmas > 0 || (misuse("--sigma '%s'; it is a positive number, or one for each axis", value), false);
    case OPTION_FROM:
        o->froms = parse_doubles(value, o->params.from, ISG_GRID_MAX_NDIM);
        return o->froms > 0 || (misuse("--from '%s'; it is a number, or one for each axis", value), false);
    case OPTION_TO:
        o->tos = parse_doubles(value, o->params.to, ISG_GRID_MAX_NDIM);
        return o->tos > 0 || (misuse("--to '%s'; it is a number, or one for each axis", value), false);
    case OPTION_SAMPLING:
        o->params.sampling = (isg_sampling)named(value, ISG_SAMPLING_COUNT, sampling_name);
        return o->params.sampling ||
               (misuse("--sampling '%s'; it is point, integrated, delta or bessel", value), false);
    case OPTION_NORMALIZE:
        o->params.normalize = (isg_normalize)named(value, ISG_NORMALIZE_COUNT, normalize_name);
        return o->params.normalize || (misuse("--normalize '%s'; it is sum, none, max or density", value), false);
    case OPTION_LIKE: o->params.like = value; return true;
    case OPTION_NSIG:
        return (parse_double(value, &o->params.nsig) && o->params.nsig != 0) ||
               (misuse("--nsig '%s'; it is a positive number", value), false);
    default:
        if (option >= OPTION_COVARIANCE)
            return take_shape_option(o, option, value);
        return take_common_option(&o->common, option, value) >= 0;
    }
}

// Brings lists of values and the number of axes together.
static bool settle(grid_options *o)
{
    isg_grid_params *p = &o->params;
    int lists = o->covariances == 1 ? 1 : o->covariances == 9 ? 3 : o->sigmas > 2 ? o->sigmas : o->waves > 2 ? 3 : 2;
    int axes = o->sizes > 1 ? o->sizes : o->ndim ? (int)o->ndim : lists;
    if (o->ndim && o->sizes > 1 && o->ndim != o->sizes)
        return misuse("--ndim %d, but --size names %d axes", (int)o->ndim, o->sizes), false;
    if (o->sigmas > 1 && o->sigmas != axes)
        return misuse("--sigma has %d values for %d axes", o->sigmas, axes), false;
    if ((o->froms > 0) != (o->tos > 0))
        return misuse("--from and --to go together"), false;
    if ((o->froms > 1 && o->froms != axes) || (o->tos > 1 && o->tos != axes))
        return misuse("--from and --to take one value, or %d for the %d axes", axes, axes), false;
    if (o->covariances && o->covariances != axes * axes)
        return misuse("--covariance has %d values; %d axes have %d", o->covariances, axes, axes * axes), false;
    if (o->orders > 1 && o->orders != axes)
        return misuse("--order has %d values for %d axes", o->orders, axes), false;
    if (o->waves && o->waves != axes)
        return misuse("--wave has %d values for %d axes", o->waves, axes), false;
    for (int a = 1; a < axes && o->orders == 1; a++)
        p->order[a] = p->order[0];
    p->ndim = axes;
    for (int a = 1; a < axes; a++) {
        p->from[a] = o->froms == 1 ? p->from[0] : p->from[a];
        p->to[a] = o->tos == 1 ? p->to[0] : p->to[a];
    }
    for (int a = 0; a < axes && o->froms > 0; a++)
        if (p->from[a] == 0 && p->to[a] == 0)
            return misuse("--from and --to are both 0 on axis %d", a), false;
    return check_common_options(&o->common);
}

static int print_text(const isg_array *a)
{
    int64_t columns = a->shape[a->ndim - 1], count = 1;
    for (int32_t i = 0; i < a->ndim; i++)
        count *= a->shape[i];
    for (int64_t i = 0; i < count; i++) {
        if (a->dtype == ISG_F64)
            printf("%.17g", ((const double *)a->data)[i]);
        else
            printf("%.9g", (double)((const float *)a->data)[i]);
        putchar((i + 1) % columns ? ' ' : '\n');
    }
    return fflush(stdout) == 0 ? EXIT_DONE : complain("standard output: cannot write the grid");
}

static void fill_report(cJSON *report, const grid_options *o, const isg_array *a, double seconds)
{
    if (o->params.like)
        cJSON_AddStringToObject(report, "like", o->params.like);
    cJSON_AddItemToObject(report, "shape", report_shape(a->ndim, a->shape));
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(a->dtype));
    if (o->common.output)
        cJSON_AddStringToObject(report, "output", o->common.output);
    if (o->common.plot)
        cJSON_AddStringToObject(report, "plot", o->common.plot);
    cJSON_AddNumberToObject(report, "seconds", seconds);
}

static int run(const grid_options *o, isg_context *context)
{
    isg_error error = {ISG_OK, ""};
    isg_grid *grid = NULL;
    isg_npy *file = NULL;
    int code = EXIT_DONE;
    double start = isg_seconds();
    int64_t shape[ISG_GRID_MAX_NDIM];
    // Without an output file the grid is gathered as if for standard output, and not committed.
    const char *output = o->common.output ? o->common.output : "-";

    if (isg_grid_create(context, &grid, &o->params)) {
        code = complain("%s", isg_context_error(context)->message);
        goto done;
    }
    int32_t ndim = isg_grid_shape(grid, shape);
    if (isg_npy_create(&file, output, isg_grid_dtype(grid), ndim, shape, &error)) {
        code = complain("%s", error.message);
        goto done;
    }
    const isg_array *a = isg_npy_array(file);
    if (isg_grid_fill(grid, *a)) {
        code = complain("%s", isg_context_error(context)->message);
        goto done;
    }
    double seconds = isg_seconds() - start;
    cJSON *report = report_new("grid", context, precision_of(a->dtype));
    fill_report(report, o, a, seconds);
    isg_array plane = plot_middle_plane(*a);
    code = deliver(&o->common, &file, &plane, NULL);
    if (!code && !o->common.output && !o->common.plot && !o->common.json)
        code = print_text(a);
    int printed = report_finish(report, o->common.json && code == EXIT_DONE);
    code = code ? code : printed;
done:
    isg_npy_close(&file);
    isg_grid_destroy(&grid);
    return code;
}

int verb_grid(int argc, char **argv)
{
    static const struct option table[] = {{"size", required_argument, 0, OPTION_SIZE},
                                          {"ndim", required_argument, 0, OPTION_NDIM},
                                          {"sigma", required_argument, 0, OPTION_SIGMA},
                                          {"sampling", required_argument, 0, OPTION_SAMPLING},
                                          {"normalize", required_argument, 0, OPTION_NORMALIZE},
                                          {"from", required_argument, 0, OPTION_FROM},
                                          {"to", required_argument, 0, OPTION_TO},
                                          {"like", required_argument, 0, OPTION_LIKE},
                                          {"nsig", required_argument, 0, OPTION_NSIG},
                                          {"covariance", required_argument, 0, OPTION_COVARIANCE},
                                          {"angle", required_argument, 0, OPTION_ANGLE},
                                          {"order", required_argument, 0, OPTION_ORDER},
                                          {"wavelength", required_argument, 0, OPTION_WAVELENGTH},
                                          {"frequency", required_argument, 0, OPTION_FREQUENCY},
                                          {"wave", required_argument, 0, OPTION_WAVE},
                                          {"phase", required_argument, 0, OPTION_PHASE},
                                          {"quadrature", no_argument, 0, OPTION_QUADRATURE},
                                          {"bandwidth", required_argument, 0, OPTION_BANDWIDTH},
                                          {"gamma", required_argument, 0, OPTION_GAMMA},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    grid_options o = {0};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    if (optind < argc)
        return misuse("'%s' is one argument too many", argv[optind]);
    if (!settle(&o))
        return EXIT_USAGE;
    o.params.precision = o.common.precision;
    isg_context *context = open_context(&o.common);
    if (!context)
        return EXIT_FAILED;
    int code = run(&o, context);
    isg_context_destroy(&context);
    return code;
}
