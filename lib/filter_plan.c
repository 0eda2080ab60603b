#include "filter_plan.h"
#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    isg_mode mode;
} modes[] = {{"reflect", ISG_MODE_REFLECT},        {"mirror", ISG_MODE_MIRROR}, {"nearest", ISG_MODE_NEAREST},
             {"constant", ISG_MODE_CONSTANT},      {"wrap", ISG_MODE_WRAP},     {"grid-mirror", ISG_MODE_REFLECT},
             {"grid-constant", ISG_MODE_CONSTANT}, {"grid-wrap", ISG_MODE_WRAP}};

const char *isg_mode_name(isg_mode mode)
{
    return mode > ISG_MODE_DEFAULT && mode < ISG_MODE_COUNT ? modes[mode - 1].name : "default";
}

isg_mode isg_mode_named(const char *word)
{
    for (size_t i = 0; word && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, word) == 0)
            return modes[i].mode;
    return ISG_MODE_DEFAULT;
}

const char *isg_nan_policy_name(isg_nan_policy policy)
{
    static const char *const names[] = {"default", "propagate", "ignore", "preserve", "fill"};
    return policy > ISG_NAN_DEFAULT && policy < ISG_NAN_COUNT ? names[policy] : names[0];
}

static isg_mode mode_of(isg_mode mode, isg_mode fallback)
{
    return mode == ISG_MODE_DEFAULT ? fallback : mode;
}

// --- whose defaults

// From what was asked of an axis to what is done: sigma and radius, where they were left open.
typedef struct convention {
    const char *name;
    isg_mode mode;
    void (*fill)(double *sigma, int64_t *radius, double truncate, isg_dtype in);
} convention;

// A radius beyond what an int64_t holds comes out as -1, which is out of range.
static int64_t whole(double x)
{
    return x < 0x1p62 ? (int64_t)x : -1;
}

static void fill_scipy(double *sigma, int64_t *radius, double truncate, isg_dtype in)
{
    (void)in;
    if (*radius == 0)
        *radius = whole(truncate * *sigma + 0.5);
}

// cvRound(sigma (3 or 4) 2 + 1) | 1 weights; cvRound rounds halves to even.
static void fill_opencv(double *sigma, int64_t *radius, double truncate, isg_dtype in)
{
    (void)truncate;
    if (*radius == 0)
        *radius = whole(rint(*sigma * (in == ISG_U8 ? 6 : 8) + 1)) / 2;
    else if (*sigma == 0)
        *sigma = 0.3 * ((double)*radius - 1) + 0.8;
}

static void fill_arrayfire(double *sigma, int64_t *radius, double truncate, isg_dtype in)
{
    if (*sigma == 0)
        *sigma = 0.25 * (2 * (double)*radius + 1);
    fill_scipy(sigma, radius, truncate, in);
}

static void fill_clij(double *sigma, int64_t *radius, double truncate, isg_dtype in)
{
    (void)truncate;
    (void)in;
    if (*radius == 0)
        *radius = whole(*sigma * 8) / 2; // of the size, made odd upwards
}

static const convention conventions[] = {{"scipy", ISG_MODE_REFLECT, fill_scipy},
                                         {"skimage", ISG_MODE_NEAREST, fill_scipy},
                                         {"opencv", ISG_MODE_MIRROR, fill_opencv},
                                         {"arrayfire", ISG_MODE_REFLECT, fill_arrayfire},
                                         {"clij", ISG_MODE_NEAREST, fill_clij}};

static const convention *find_convention(const char *name)
{
    for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++)
        if (!name || strcmp(conventions[i].name, name) == 0)
            return &conventions[i];
    return NULL;
}

// --- what is asked for

isg_dtype isg_filter_dtype(const isg_filter_params *params, isg_dtype in)
{
    if (params->precision != ISG_PRECISION_DEFAULT)
        return params->precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32;
    return in == ISG_F64 || in == ISG_I32 ? ISG_F64 : ISG_F32;
}

// The place of each of the array's axes in params->axes, or -1.
static isg_status find_axes(const isg_filter_params *p, int32_t ndim, int32_t *place, isg_error *error)
{
    if (ndim < 1 || ndim > ISG_FILTER_MAX_NDIM)
        return isg_fail(error, ISG_ERR_SHAPE, "%d dimensions; a filter takes 1 to %d", (int)ndim, ISG_FILTER_MAX_NDIM);
    if (p->axis_count < 0 || p->axis_count > ndim)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d axes of an array of %d dimensions", (int)p->axis_count, (int)ndim);
    for (int32_t a = 0; a < ndim; a++)
        place[a] = p->axis_count ? -1 : a;
    for (int32_t i = 0; i < p->axis_count; i++) {
        int32_t axis = p->axes[i] < 0 ? p->axes[i] + ndim : p->axes[i];
        if (axis < 0 || axis >= ndim)
            return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d of an array of %d dimensions", (int)p->axes[i],
                            (int)ndim);
        if (place[axis] >= 0)
            return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d is named twice", (int)p->axes[i]);
        place[axis] = i;
    }
    return ISG_OK;
}

static isg_status check_numbers(const isg_filter_params *p, int32_t at, int32_t axis, isg_error *error)
{
    double sigma = p->sigma[at];
    if (!(sigma >= 0) || isinf(sigma))
        return isg_fail(error, ISG_ERR_ARGUMENT, "sigma %g on axis %d; it is a finite number, at least 0", sigma,
                        (int)axis);
    if (p->order[at] < 0 || p->order[at] > ISG_FILTER_MAX_ORDER)
        return isg_fail(error, ISG_ERR_ARGUMENT, "order %d on axis %d; it is 0 to %d", (int)p->order[at], (int)axis,
                        ISG_FILTER_MAX_ORDER);
    if ((unsigned)p->mode[at] >= ISG_MODE_COUNT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown mode on axis %d", (int)axis);
    if (p->radius[at] < 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "radius %lld on axis %d; it is at least 0", (long long)p->radius[at],
                        (int)axis);
    return ISG_OK;
}

static isg_status check_params(const isg_filter_params *p, isg_error *error)
{
    if (!p)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a filter needs parameters");
    if ((unsigned)p->precision > ISG_PRECISION_F64)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown precision");
    if (!(p->truncate >= 0) || isinf(p->truncate))
        return isg_fail(error, ISG_ERR_ARGUMENT, "truncate %g; it is a finite number above 0", p->truncate);
    if (p->sampling != ISG_SAMPLING_DEFAULT && p->sampling != ISG_SAMPLING_POINT &&
        p->sampling != ISG_SAMPLING_INTEGRATED && p->sampling != ISG_SAMPLING_BESSEL)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s sampling; a filter takes point, integrated or bessel",
                        isg_sampling_name(p->sampling));
    if (!find_convention(p->like))
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        "no convention is called '%s'; there are scipy, skimage, opencv, arrayfire and clij", p->like);
    if ((unsigned)p->nan >= ISG_NAN_COUNT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown policy for NaN");
    if (p->memory < 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%lld bytes of memory", (long long)p->memory);
    return ISG_OK;
}

// One axis in full but for its weights. false in *filtered: it is left as it is.
static isg_status resolve_axis(isg_filter_axis *to, double *sigma, bool *filtered, const isg_filter_params *p,
                               int32_t place, int32_t axis, isg_dtype in, isg_error *error)
{
    int32_t at = p->each ? place : 0;
    const convention *like = find_convention(p->like);
    isg_status st = check_numbers(p, at, axis, error);
    if (st)
        return st;
    *sigma = p->sigma[at];
    *to = (isg_filter_axis){
        .axis = axis, .order = p->order[at], .mode = mode_of(p->mode[at], like->mode), .radius = p->radius[at]};
    like->fill(sigma, &to->radius, p->truncate > 0 ? p->truncate : 4, in);
    *filtered = *sigma > 1e-15;
    if (!*filtered && to->order > 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "order %d on axis %d needs a sigma above 1e-15", (int)to->order,
                        (int)axis);
    if (!*filtered)
        return ISG_OK;
    if (to->radius < 0 || to->radius > INT32_MAX / 16)
        return isg_fail(error, ISG_ERR_ARGUMENT, "the filter's radius on axis %d, at sigma %g, is beyond %d", (int)axis,
                        *sigma, INT32_MAX / 16);
    if (to->order > 2 * to->radius)
        return isg_fail(error, ISG_ERR_ARGUMENT, "order %d on axis %d is too high for radius %lld", (int)to->order,
                        (int)axis, (long long)to->radius);
    if (to->order > 0 && p->sampling > ISG_SAMPLING_POINT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "order %d on axis %d: derivatives take point sampling", (int)to->order,
                        (int)axis);
    return ISG_OK;
}

// --- weights

static double rounded(isg_dtype dtype, double x)
{
    return dtype == ISG_F64 ? x : (double)(float)x;
}

// Half the weights, w[k] of the element k places ahead, to those of the plan.
static void set_weights(isg_filter_axis *to, const double *half, isg_dtype dtype)
{
    double sum = fabs(half[0]), least = dtype == ISG_F64 ? 0x1p-80 : 0x1p-40;
    for (int64_t k = 1; k <= to->radius; k++)
        sum += 2 * fabs(half[k]);
    to->exponent = to->order && sum > 0 ? ilogb(sum) : 0;
    for (int64_t k = 0; k <= to->radius; k++) {
        double w = rounded(dtype, ldexp(half[k], -to->exponent));
        to->weights[to->radius - k] = fabs(w) < least ? 0 : w;
    }
}

// No axis is filtered: a single weight of 1 along one of them does that.
static isg_status leave_alone(isg_filter_plan *plan, int32_t axis, isg_error *error)
{
    plan->axis[0] = (isg_filter_axis){.axis = axis, .mode = ISG_MODE_NEAREST, .weights = isg_alloc(1, sizeof(double))};
    if (!plan->axis[0].weights)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a weight");
    plan->axis[0].weights[0] = 1;
    plan->count = 1;
    return ISG_OK;
}

// Where nothing can be missing there is nothing to look after.
static isg_status set_policy(isg_filter_plan *plan, const isg_filter_params *p, isg_dtype in, isg_error *error)
{
    bool masked = p->mask.dtype != ISG_DTYPE_NONE, holes = masked || in == ISG_F16 || in == ISG_F32 || in == ISG_F64;
    isg_nan_policy policy = p->nan ? p->nan : masked ? ISG_NAN_IGNORE : ISG_NAN_PROPAGATE;
    plan->policy = ISG_NAN_PROPAGATE;
    plan->fill = NAN;
    if (policy == ISG_NAN_FILL && isnan(plan->constant))
        plan->constant = rounded(plan->dtype, p->fill);
    if (policy == ISG_NAN_PROPAGATE) {
        plan->policy = masked ? ISG_NAN_FILL : ISG_NAN_PROPAGATE;
        return ISG_OK;
    }
    if (policy == ISG_NAN_FILL || p->fills_nothing)
        plan->fill = rounded(plan->dtype, p->fill);
    for (int32_t i = 0; i < plan->count && policy != ISG_NAN_FILL; i++) {
        holes = holes || (isnan(plan->constant) && plan->axis[i].mode == ISG_MODE_CONSTANT);
        if (plan->axis[i].order > 0)
            return isg_fail(error, ISG_ERR_ARGUMENT,
                            "order %d on axis %d: a mean of the valid elements is of order 0; fill the others, or let "
                            "NaN propagate",
                            (int)plan->axis[i].order, (int)plan->axis[i].axis);
    }
    plan->policy = holes ? policy : ISG_NAN_PROPAGATE;
    return ISG_OK;
}

isg_status isg_filter_plan_make(isg_filter_plan *plan, const isg_filter_params *params, int32_t ndim,
                                const int64_t *shape, isg_dtype dtype, isg_dtype in, isg_error *error)
{
    int32_t place[ISG_FILTER_MAX_NDIM];
    *plan = (isg_filter_plan){.dtype = dtype};
    isg_status st = check_params(params, error);
    if (st || (st = find_axes(params, ndim, place, error)))
        return st;
    plan->constant = rounded(dtype, params->constant);
    for (int32_t a = 0; a < ndim; a++) {
        isg_filter_axis axis;
        double sigma;
        bool filtered;
        if (place[a] < 0)
            continue;
        if ((st = resolve_axis(&axis, &sigma, &filtered, params, place[a], a, in, error)))
            return st;
        if (!filtered)
            continue;
        if (shape[a] > INT32_MAX / 4) // and a radius is at most INT32_MAX / 16
            return isg_fail(error, ISG_ERR_OVERFLOW, "axis %d of %lld elements is too long", (int)a,
                            (long long)shape[a]);
        isg_filter_axis *to = &plan->axis[plan->count++];
        double *half = isg_alloc(axis.radius + 1, sizeof *half);
        *to = axis;
        to->weights = isg_alloc(axis.radius + 1, sizeof *to->weights);
        if (!half || !to->weights)
            st = isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld weights", (long long)axis.radius + 1);
        if (!st)
            st = isg_profile_taps(sigma, axis.order, axis.radius, params->sampling, params->exact != 0, half, error);
        if (!st)
            set_weights(to, half, dtype);
        free(half);
        if (st)
            return st;
    }
    if (plan->count == 0 && (st = leave_alone(plan, ndim - 1, error)))
        return st;
    return set_policy(plan, params, in, error);
}

void isg_filter_plan_free(isg_filter_plan *plan)
{
    for (int32_t i = 0; i < plan->count; i++) {
        free(plan->axis[i].weights);
        plan->axis[i].weights = NULL;
    }
    plan->count = 0;
}

// --- scales

typedef struct range {
    int tiny;         // exponents: of what counts as 0, scaled
    int plain, large; // of the scale, for all arrays but those with numbers from 2^limit on; and for those
    int limit;
    int smallest; // normal number
} range;

static range range_of(isg_dtype dtype)
{
    return dtype == ISG_F64 ? (range){-800, 100, -20, 900, -1022} : (range){-40, 60, -8, 60, -126};
}

// E
static int scale_exponent(const isg_filter_plan *plan, bool large)
{
    range r = range_of(plan->dtype);
    int e = large || fabs(plan->constant) >= ldexp(1, r.limit) ? r.large : r.plain;
    for (int32_t i = 0; i < plan->count; i++)
        e -= plan->axis[i].exponent > 0 ? plan->axis[i].exponent : 0;
    return e;
}

double isg_filter_large(isg_dtype dtype)
{
    return ldexp(1, range_of(dtype).limit);
}

isg_filter_scale isg_filter_scale_in(const isg_filter_plan *plan, bool large)
{
    int e = scale_exponent(plan, large);
    return (isg_filter_scale){.tiny = ldexp(1, range_of(plan->dtype).tiny - e), .factor = ldexp(1, e)};
}

isg_filter_scale isg_filter_scale_axis(const isg_filter_plan *plan, int32_t at, bool large)
{
    range r = range_of(plan->dtype);
    int e = scale_exponent(plan, large), up = plan->axis[at].exponent, tiny = r.tiny - up;
    if (at == plan->count - 1) {
        up -= e;
        tiny = r.smallest - up;
    }
    isg_filter_scale in = isg_filter_scale_in(plan, large);
    double constant = fabs(plan->constant) < in.tiny ? 0 : plan->constant * in.factor; // NaN stays
    return (isg_filter_scale){ldexp(1, tiny > r.smallest ? tiny : r.smallest), ldexp(1, up), constant};
}

isg_filter_weighing isg_filter_weighing_of(const isg_filter_plan *plan, bool large)
{
    range r = range_of(plan->dtype);
    // Quotients have lost a scale of 2^plain.
    int back = r.plain - scale_exponent(plan, large), last = plan->count - 1;
    isg_filter_weighing w = {.unit = ldexp(1, r.plain),
                             .tiny = ldexp(1, r.tiny),
                             .none = ldexp(1, r.plain - (plan->dtype == ISG_F64 ? 400 : 60)),
                             .whole = isg_filter_scale_axis(plan, last, large),
                             .mean = {ldexp(1, r.smallest), ldexp(1, back), 0}};
    w.constant = w.whole.constant;
    w.constant_weight = isnan(plan->constant) ? 0 : w.unit;
    return w;
}

// --- borders

static int64_t modulo(int64_t i, int64_t n)
{
    return i % n < 0 ? i % n + n : i % n;
}

int64_t isg_filter_source(isg_mode mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case ISG_MODE_CONSTANT: return -1;
    case ISG_MODE_NEAREST: return i < 0 ? 0 : n - 1;
    case ISG_MODE_WRAP: return modulo(i, n);
    case ISG_MODE_MIRROR: i = n > 1 ? modulo(i, 2 * n - 2) : 0; return i < n ? i : 2 * n - 2 - i;
    default: i = modulo(i, 2 * n); return i < n ? i : 2 * n - 1 - i;
    }
}

void isg_filter_table(isg_mode mode, int64_t n, int64_t radius, int32_t *table)
{
    for (int64_t i = 0; i < n + 2 * radius; i++)
        table[i] = (int32_t)isg_filter_source(mode, i - radius, n);
}

// --- the weights alone

isg_status isg_filter_weights(const isg_filter_params *params, int32_t ndim, int32_t axis, double *weights,
                              int64_t capacity, int64_t *count, isg_error *error)
{
    int32_t place[ISG_FILTER_MAX_NDIM];
    isg_filter_axis a;
    double sigma, *half = NULL;
    bool filtered;
    isg_error_clear(error);
    if (!count || ndim < 1 || ndim > ISG_FILTER_MAX_NDIM)
        return isg_fail(error, count ? ISG_ERR_SHAPE : ISG_ERR_ARGUMENT,
                        count ? "an array of %d dimensions; a filter takes 1 to %d" : "no place for a number",
                        (int)ndim, ISG_FILTER_MAX_NDIM);
    *count = 0;
    isg_status st = check_params(params, error);
    if (st || (st = find_axes(params, ndim, place, error)))
        return st;
    if (axis < 0 || axis >= ndim)
        return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d of %d", (int)axis, (int)ndim);
    if (place[axis] < 0)
        return ISG_OK;
    if ((st = resolve_axis(&a, &sigma, &filtered, params, place[axis], axis, ISG_F32, error)) || !filtered)
        return st;
    half = isg_alloc(a.radius + 1, sizeof *half);
    if (!half)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld weights", (long long)a.radius + 1);
    *count = 2 * a.radius + 1;
    st = isg_profile_taps(sigma, a.order, a.radius, params->sampling, params->exact != 0, half, error);
    for (int64_t i = 0; i < *count && i < capacity && weights && !st; i++) {
        int64_t k = i - a.radius;
        weights[i] = k < 0 && a.order % 2 ? -half[-k] : half[k < 0 ? -k : k];
    }
    free(half);
    return st;
}
