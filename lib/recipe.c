#include "recipe.h"

#include <math.h>
#include <string.h>

// A recipe fills in what the caller left open. `apply` sees the axis with its size and sigma decided.
typedef struct recipe {
    isg_grid_recipe row;
    double size, sigma; // when the caller gives none; 0: the caller must
    isg_sampling sampling;
    isg_normalize normalize;
    void (*apply)(isg_axis *axis, double nsig);
} recipe;

static void edges_in_sigmas(isg_axis *axis, double nsig)
{
    axis->from = -nsig;
    axis->to = nsig;
}

static void edges_of_old_gkern(isg_axis *axis, double nsig)
{
    double interval = (2 * nsig + 1) / (double)axis->size;
    axis->from = -nsig - interval / 2;
    axis->to = nsig + interval / 2;
    axis->square_root = true;
}

static void fifty_samples(isg_axis *axis, double nsig)
{
    (void)nsig;
    axis->to = (double)(axis->size / 2);
    axis->from = -axis->to;
    axis->size = 50;
}

static void whole_size(isg_axis *axis, double nsig)
{
    (void)nsig;
    axis->from = -(double)axis->size / 2;
    axis->to = (double)axis->size / 2;
}

static void from_middle(isg_axis *axis, double nsig)
{
    (void)nsig;
    axis->from = -(double)(axis->size / 2);
    axis->to = (double)(axis->size - 1) + axis->from;
}

// The rows and the isg_grid_recipe list that callers see are the same memory laid out twice, so one macro states each
// once.
#define RECIPES                                                                                                        \
    RECIPE("gkern", "differences of the normal CDF over -nsig to nsig (defaults 21, nsig 3)", NULL, 21, 1,             \
           ISG_SAMPLING_INTEGRATED, ISG_NORMALIZE_SUM, edges_in_sigmas)                                                \
    RECIPE("gkern-sqrt", "the older gkern: wider cells, square root of the outer product (defaults 21, nsig 3)",       \
           "gkern-sqrt is wider than the Gaussian it names; use gkern unless old results must be reproduced", 21, 1,   \
           ISG_SAMPLING_INTEGRATED, ISG_NORMALIZE_SUM, edges_of_old_gkern)                                             \
    RECIPE("gkern-delta", "an impulse through scipy.ndimage.gaussian_filter (defaults 21, sigma 3)", NULL, 21, 3,      \
           ISG_SAMPLING_DELTA, ISG_NORMALIZE_NONE, NULL)                                                               \
    RECIPE("gkern-point", "samples of the Gaussian, sum 1 (defaults 5, sigma 1)", NULL, 5, 1, ISG_SAMPLING_POINT,      \
           ISG_NORMALIZE_SUM, NULL)                                                                                    \
    RECIPE("window", "outer product of scipy.signal.windows.gaussian (defaults 21, sigma 3)", NULL, 21, 3,             \
           ISG_SAMPLING_POINT, ISG_NORMALIZE_NONE, NULL)                                                               \
    RECIPE("linspace", "50 samples from -(size//2) to size//2 (defaults 21, sigma 3)",                                 \
           "linspace gives 50 samples on each axis whatever the size, as the code it is named for does", 21, 3,        \
           ISG_SAMPLING_POINT, ISG_NORMALIZE_SUM, fifty_samples)                                                       \
    RECIPE("mask", "samples from -size/2 to size/2, not normalised", NULL, 0, 0, ISG_SAMPLING_POINT,                   \
           ISG_NORMALIZE_NONE, whole_size)                                                                             \
    RECIPE("loop", "distance from the centre int(size/2), sum 1 (defaults 3, sigma 1)", NULL, 3, 1,                    \
           ISG_SAMPLING_POINT, ISG_NORMALIZE_SUM, from_middle)                                                         \
    RECIPE("gabor-opencv", "cv2.getGaborKernel: not normalised, sizes made odd, nsig 3 if none (default sigma 3)",     \
           NULL, 0, 3, ISG_SAMPLING_POINT, ISG_NORMALIZE_NONE, NULL)                                                   \
    RECIPE("gabor-skimage", "skimage.filters.gabor_kernel: a density, of bandwidth 1 unless sigma is given", NULL, 0,  \
           0, ISG_SAMPLING_POINT, ISG_NORMALIZE_DENSITY, NULL)

static const recipe recipes[] = {
#define RECIPE(name, summary, warning, size, sigma, sampling, normalize, apply)                                        \
    {{name, summary, warning}, size, sigma, sampling, normalize, apply},
    RECIPES
#undef RECIPE
};

static const isg_grid_recipe rows[] = {
#define RECIPE(name, summary, warning, ...) {name, summary, warning},
    RECIPES
#undef RECIPE
    {NULL, NULL, NULL}};

const isg_grid_recipe *isg_grid_recipes(void)
{
    return rows;
}

static const char *const samplings[ISG_SAMPLING_COUNT] = {"default", "point", "integrated", "delta", "bessel"};
static const char *const normalizations[ISG_NORMALIZE_COUNT] = {"default", "sum", "none", "max", "density"};

const char *isg_sampling_name(isg_sampling sampling)
{
    return (unsigned)sampling < ISG_SAMPLING_COUNT ? samplings[sampling] : "unknown";
}

const char *isg_normalize_name(isg_normalize normalize)
{
    return (unsigned)normalize < ISG_NORMALIZE_COUNT ? normalizations[normalize] : "unknown";
}

static const recipe *find(const char *name)
{
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
        if (strcmp(recipes[i].row.name, name) == 0)
            return &recipes[i];
    return NULL;
}

// Where the samples lie when neither the caller nor the recipe says.
static void default_range(isg_axis *axis)
{
    double n = (double)axis->size;
    switch (axis->sampling) {
    case ISG_SAMPLING_INTEGRATED:
        axis->from = -n / 2;
        axis->to = n / 2;
        break;
    case ISG_SAMPLING_BESSEL:
    case ISG_SAMPLING_DELTA:
        axis->from = axis->sampling == ISG_SAMPLING_DELTA ? -(double)(axis->size / 2) : -floor((n - 1) / 2);
        axis->to = axis->from + n - 1;
        break;
    default: axis->from = -(n - 1) / 2; axis->to = (n - 1) / 2;
    }
}

static isg_status check_axis(const isg_axis *axis, int32_t at, isg_error *error)
{
    if (axis->size < 1)
        return isg_fail(error, ISG_ERR_ARGUMENT, "size %lld on axis %d; it must be at least 1", (long long)axis->size,
                        (int)at);
    if (!isfinite(axis->sigma) || axis->sigma <= 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "sigma %g on axis %d; it must be positive and finite", axis->sigma,
                        (int)at);
    if (!isfinite(axis->from) || !isfinite(axis->to))
        return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d runs from %g to %g; both must be finite", (int)at, axis->from,
                        axis->to);
    // Coordinates in sigmas are squared; a grid beyond this is nothing but zeros.
    if (fabs(axis->from) / axis->sigma > 1e100 || fabs(axis->to) / axis->sigma > 1e100 || axis->sigma > 1e100 ||
        axis->sigma < 1e-100)
        return isg_fail(error, ISG_ERR_RANGE, "sigma %g on axis %d, which runs from %g to %g, is out of range",
                        axis->sigma, (int)at, axis->from, axis->to);
    if (axis->sampling == ISG_SAMPLING_INTEGRATED && axis->from >= axis->to)
        return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d: integrated cells need from (%g) below to (%g)", (int)at,
                        axis->from, axis->to);
    if (axis->sampling == ISG_SAMPLING_BESSEL &&
        (axis->from != rint(axis->from) || axis->to - axis->from != (double)(axis->size - 1)))
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        "axis %d: bessel weights live on whole numbers, one apart; from %g to %g in %lld "
                        "samples is not that",
                        (int)at, axis->from, axis->to, (long long)axis->size);
    double centre = (double)(axis->size / 2);
    if (axis->sampling == ISG_SAMPLING_DELTA &&
        (axis->from != -centre || axis->to != (double)(axis->size - 1) - centre))
        return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d: delta sampling takes no from and to", (int)at);
    return ISG_OK;
}

isg_status isg_grid_resolve(isg_grid_plan *plan, const isg_grid_params *params, isg_error *error)
{
    *plan = (isg_grid_plan){.ndim = params->ndim ? params->ndim : 2};
    if (plan->ndim < 1 || plan->ndim > ISG_GRID_MAX_NDIM)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d axes; a grid has 1 to %d", (int)plan->ndim, ISG_GRID_MAX_NDIM);
    if ((unsigned)params->sampling >= ISG_SAMPLING_COUNT || (unsigned)params->normalize >= ISG_NORMALIZE_COUNT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown sampling or normalisation");
    const recipe *like = NULL;
    if (params->like) {
        like = find(params->like);
        if (!like)
            return isg_fail(error, ISG_ERR_ARGUMENT, "no recipe is called '%s'", params->like);
        plan->warning = like->row.warning;
    }
    double nsig = params->nsig != 0 ? params->nsig : 3;
    if (!isfinite(nsig) || nsig <= 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "nsig %g; it must be positive and finite", nsig);

    for (int32_t a = 0; a < plan->ndim; a++) {
        isg_axis *axis = &plan->axis[a];
        axis->size = params->size[a] ? params->size[a] : params->size[0];
        axis->sigma = params->sigma[a] != 0 ? params->sigma[a] : params->sigma[0];
        axis->sampling = params->sampling;
        axis->normalize = params->normalize;
        if (like) {
            axis->size = axis->size ? axis->size : (int64_t)like->size;
            axis->sigma = axis->sigma != 0 ? axis->sigma : like->sigma;
            axis->sampling = axis->sampling ? axis->sampling : like->sampling;
            axis->normalize = axis->normalize ? axis->normalize : like->normalize;
        }
        axis->sampling = axis->sampling ? axis->sampling : ISG_SAMPLING_POINT;
        axis->normalize = axis->normalize ? axis->normalize : ISG_NORMALIZE_SUM;
        if (axis->size == 0 || axis->sigma == 0)
            return isg_fail(error, ISG_ERR_ARGUMENT, "a grid needs a size and a sigma");
        default_range(axis);
        if (like && like->apply && axis->size > 0)
            like->apply(axis, nsig);
        if (params->from[a] != 0 || params->to[a] != 0) {
            axis->from = params->from[a];
            axis->to = params->to[a];
        }
        isg_status st = check_axis(axis, a, error);
        if (st)
            return st;
    }
    return ISG_OK;
}
