// The registry of covariance functions: rows, looking them up, and their parameters. Knows nothing of devices.
#include "kernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define POSITIVE DBL_MIN, DBL_MAX
static const isg_kernel rows[] = {
#define KERNEL(id, a, b, c, ...) {.name = #id, .formula = "f_" #id, __VA_ARGS__},
#include "kernels.def"
#undef KERNEL
};

static const isg_kernel *const list[] = {
#define KERNEL(id, ...) &rows[ISG_KERNEL_##id],
#include "kernels.def"
#undef KERNEL
    NULL};

const isg_kernel *const *isg_kernel_list(void)
{
    return list;
}

const isg_kernel *isg_kernel_find(const char *name)
{
    if (!name)
        return NULL;
    for (int i = 0; i < ISG_KERNEL_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
        for (int a = 0; rows[i].aliases[a]; a++)
            if (strcmp(rows[i].aliases[a], name) == 0)
                return &rows[i];
    }
    return NULL;
}

static void try_name(const char *name, const char *candidate, const char **best, size_t *least)
{
    size_t distance = isg_edit_distance(name, candidate);
    if (distance < *least) {
        *least = distance;
        *best = candidate;
    }
}

const char *isg_kernel_nearest(const char *name)
{
    // At most a third of the letters are wrong, or one: what is less like a name is another word.
    const char *best = NULL;
    if (!name)
        return NULL;
    size_t least = (strlen(name) < 3 ? 1 : strlen(name) / 3) + 1;
    for (int i = 0; i < ISG_KERNEL_COUNT; i++) {
        try_name(name, rows[i].name, &best, &least);
        for (int a = 0; rows[i].aliases[a]; a++)
            try_name(name, rows[i].aliases[a], &best, &least);
    }
    return best;
}

int isg_kernel_index(const isg_kernel *kernel)
{
    int at = 0;
    while (at < ISG_KERNEL_COUNT && kernel != &rows[at])
        at++;
    return at < ISG_KERNEL_COUNT ? at : -1;
}

const char *isg_pair_name(isg_pair pair)
{
#define NAME(id, name) [ISG_PAIR_##id] = #name,
    static const char *const names[] = {ISG_PAIRS(NAME)};
#undef NAME
    _Static_assert(sizeof names / sizeof *names == ISG_PAIR_COUNT, "every pair's number has a name");
    return (unsigned)pair < ISG_PAIR_COUNT ? names[pair] : "unknown";
}

int isg_pair_power(isg_pair pair)
{
    return pair == ISG_PAIR_SQDIST || pair == ISG_PAIR_DOT ? 2 : 1;
}

static isg_status resolve_scale(isg_kernel_values *values, const isg_kernel_params *params, const isg_kernel *kernel,
                                isg_error *error)
{
    const struct {
        const char *name;
        double value;
        bool length;
    } given[] = {
        {"gamma", params->gamma, false}, {"sigma", params->sigma, true}, {"lengthscale", params->lengthscale, true}};
    const char *used = NULL;
    for (int i = 0; i < 3; i++) {
        double v = given[i].value;
        if (v == 0)
            continue;
        if (used)
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s and %s say the same thing; give one of them", used,
                            given[i].name);
        used = given[i].name;
        if (kernel->scale == ISG_SCALE_NONE || (kernel->scale == ISG_SCALE_RATE && given[i].length))
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s takes no %s", kernel->name, used);
        if (!isfinite(v) || v < 0)
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s %g; it must be positive and finite", used, v);
        values->gamma = given[i].length ? 1 / (2 * v * v) : v;
        values->length = given[i].length ? v : sqrt(0.5 / v);
        if (!isfinite(values->gamma) || values->gamma == 0)
            return isg_fail(error, ISG_ERR_RANGE, "%s %g is out of range: gamma would be %g", used, v, values->gamma);
    }
    if (kernel->scale == ISG_SCALE_LENGTHSCALE)
        values->gamma = 0.5 / (values->length * values->length);
    return ISG_OK;
}

// "alpha" or "degree and coef0"; which a row takes.
static const char *param_names(const isg_kernel *kernel, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s%s%s", kernel->params[0].name ? kernel->params[0].name : "none",
             kernel->params[1].name ? " and " : "", kernel->params[1].name ? kernel->params[1].name : "");
    return text;
}

static isg_status take_setting(isg_kernel_values *values, const isg_setting *setting, const isg_kernel *kernel,
                               isg_error *error)
{
    char names[80];
    for (int i = 0; i < ISG_MAX_PARAMS && kernel->params[i].name; i++) {
        const isg_kernel_param *p = &kernel->params[i];
        if (strcmp(p->name, setting->name) != 0)
            continue;
        double v = setting->value;
        if (!(v >= p->least && v <= p->most) || (p->whole && v != floor(v))) {
            if (p->least == DBL_MIN)
                return isg_fail(error, ISG_ERR_ARGUMENT, "%s %g; it must be positive and finite", p->name, v);
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s %g; it must be a%s number from %g to %g", p->name, v,
                            p->whole ? " whole" : "", p->least, p->most);
        }
        values->params[i] = v;
        return ISG_OK;
    }
    return isg_fail(error, ISG_ERR_ARGUMENT, "%s has no parameter '%s'; besides its scale it has %s", kernel->name,
                    setting->name, param_names(kernel, names, sizeof names));
}

isg_status isg_kernel_resolve(isg_kernel_values *values, const isg_kernel_params *params, int64_t dims,
                              isg_error *error)
{
    const isg_kernel *kernel = params->kernel ? params->kernel : &rows[ISG_KERNEL_rbf];
    *values = (isg_kernel_values){.gamma = 1, .length = 1};
    if (isg_kernel_index(kernel) < 0) // its formula would go into a program as it is
        return isg_fail(error, ISG_ERR_ARGUMENT, "the kernel is none of isg_kernel_list's rows");
    *values = (isg_kernel_values){.gamma = kernel->gamma > 0 ? kernel->gamma : 1 / (double)dims, .length = 1};
    isg_status st = resolve_scale(values, params, kernel, error);
    for (int i = 0; i < ISG_MAX_PARAMS; i++)
        values->params[i] = kernel->params[i].fallback;
    for (int i = 0; i < params->setting_count && !st; i++)
        st = take_setting(values, &params->settings[i], kernel, error);
    return st;
}

isg_numbers isg_kernel_numbers(int kernel, const isg_kernel_values *values)
{
    const double gamma = values->gamma, length = values->length, *p = values->params;
    (void)gamma, (void)length, (void)p;
    switch (kernel) {
#define KERNEL(id, a, b, c, ...)                                                                                       \
    case ISG_KERNEL_##id:                                                                                              \
        return (isg_numbers){a, b, c};
#include "kernels.def"
#undef KERNEL
    default: return (isg_numbers){1, 0, 0};
    }
}

int isg_kernel_formula(int kernel, const isg_kernel_values *values)
{
    // (1 + u)^-1 is a reciprocal, a tenth of the work of a power.
    return kernel == ISG_KERNEL_rational_quadratic && values->params[0] == 1 ? ISG_KERNEL_cauchy : kernel;
}

const char *isg_kernel_derivative(int kernel, int by)
{
#define KERNEL(...)
#undef DERIVATIVES
#define DERIVATIVES(id, ...)     [ISG_KERNEL_##id] = {NAMES(__VA_ARGS__)},
#define NAMES(u, length, p0, p1) #u, #length, #p0, #p1
    static const char *const names[ISG_KERNEL_COUNT][ISG_BY_COUNT] = {
#include "kernels.def"
    };
#undef KERNEL
#undef NAMES
    const char *name = names[kernel][by];
    return name && strcmp(name, "none") != 0 ? name : NULL;
}
