// Sums, products and multiples of covariance functions, and their text form. Knows nothing of devices.
#include "composite.h"
#include "kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

isg_kernel_params isg_step_params(const isg_step *step)
{
    isg_kernel_params params = step->params;
    params.settings = step->settings;
    return params;
}

static isg_status set_row(isg_step *step, const isg_kernel_params *params, isg_error *error)
{
    isg_kernel_values values;
    isg_status st = isg_kernel_resolve(&values, params, 1, error);
    if (st)
        return st;
    *step = (isg_step){.kind = ISG_STEP_ROW, .params = *params};
    if (!step->params.kernel)
        step->params.kernel = isg_kernel_find("rbf");
    step->params.settings = NULL;
    step->params.setting_count = 0;
    for (int i = 0; i < params->setting_count; i++) {
        for (int j = 0; j < i; j++)
            if (strcmp(params->settings[i].name, params->settings[j].name) == 0)
                return isg_fail(error, ISG_ERR_ARGUMENT, "%s is given twice", params->settings[i].name);
        // The names live as long as the row.
        for (int p = 0; p < ISG_MAX_PARAMS && step->params.kernel->params[p].name; p++)
            if (strcmp(step->params.kernel->params[p].name, params->settings[i].name) == 0)
                step->settings[step->params.setting_count++] =
                    (isg_setting){step->params.kernel->params[p].name, params->settings[i].value};
    }
    return ISG_OK;
}

isg_status isg_composite_set(isg_composite *composite, const isg_kernel_params *params, isg_error *error)
{
    composite->count = composite->rows = 1;
    return set_row(&composite->steps[0], params, error);
}

static isg_status new_composite(isg_composite **out, isg_error *error)
{
    *out = calloc(1, sizeof **out);
    return *out ? ISG_OK : isg_fail(error, ISG_ERR_MEMORY, "no memory for a covariance function");
}

static isg_status append(isg_composite *to, const isg_composite *from, isg_error *error)
{
    // One step is left for the operation.
    if (to->rows + from->rows > ISG_MAX_ROWS || to->count + from->count >= ISG_MAX_STEPS)
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        "a covariance function of more than %d rows, or %d rows and operations", ISG_MAX_ROWS,
                        ISG_MAX_STEPS);
    memcpy(to->steps + to->count, from->steps, (size_t)from->count * sizeof *from->steps);
    to->count += from->count;
    to->rows += from->rows;
    return ISG_OK;
}

isg_status isg_kernel_single(isg_composite **out, const isg_kernel_params *params, isg_error *error)
{
    static const isg_kernel_params defaults;
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    isg_status st = new_composite(out, error);
    if (!st)
        st = isg_composite_set(*out, params ? params : &defaults, error);
    if (st)
        isg_composite_destroy(out);
    return st;
}

static isg_status operate(isg_composite **out, isg_step operation, const isg_composite *a, const isg_composite *b,
                          isg_error *error)
{
    isg_error_clear(error);
    isg_composite *made;
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    if (!a || (!b && operation.kind != ISG_STEP_MULTIPLE))
        return isg_fail(error, ISG_ERR_ARGUMENT, "no covariance function");
    isg_status st = new_composite(&made, error);
    if (!st)
        st = append(made, a, error);
    if (!st && b)
        st = append(made, b, error);
    if (st) {
        isg_composite_destroy(&made);
        return st;
    }
    made->steps[made->count++] = operation;
    *out = made;
    return ISG_OK;
}

isg_status isg_kernel_sum(isg_composite **out, const isg_composite *a, const isg_composite *b, isg_error *error)
{
    return operate(out, (isg_step){.kind = ISG_STEP_SUM}, a, b, error);
}

isg_status isg_kernel_product(isg_composite **out, const isg_composite *a, const isg_composite *b, isg_error *error)
{
    return operate(out, (isg_step){.kind = ISG_STEP_PRODUCT}, a, b, error);
}

isg_status isg_kernel_multiple(isg_composite **out, double factor, const isg_composite *a, isg_error *error)
{
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    if (!(factor > 0) || !isfinite(factor))
        return isg_fail(error, ISG_ERR_ARGUMENT, "a factor of %g; it must be positive and finite", factor);
    return operate(out, (isg_step){.kind = ISG_STEP_MULTIPLE, .factor = factor}, a, NULL, error);
}

void isg_composite_destroy(isg_composite **composite)
{
    if (!composite)
        return;
    free(*composite);
    *composite = NULL;
}

// --- to text

static void put_row(isg_text *w, const isg_step *step)
{
    const isg_kernel_params *p = &step->params;
    const isg_setting scales[] = {{"gamma", p->gamma}, {"sigma", p->sigma}, {"lengthscale", p->lengthscale}};
    const char *before = "(";
    isg_put(w, "%s", p->kernel->name);
    for (int i = 0; i < 3; i++)
        if (scales[i].value != 0) {
            isg_put(w, "%s%s=%.17g", before, scales[i].name, scales[i].value);
            before = ", ";
        }
    for (int i = 0; i < p->setting_count; i++) {
        isg_put(w, "%s%s=%.17g", before, step->settings[i].name, step->settings[i].value);
        before = ", ";
    }
    if (before[0] == ',')
        isg_put(w, ")");
}

// Where the operand that ends at step `last` begins.
static int first_of(const isg_composite *c, int last)
{
    for (int missing = 1;; last--) {
        if (c->steps[last].kind == ISG_STEP_ROW)
            missing--;
        else if (c->steps[last].kind != ISG_STEP_MULTIPLE)
            missing++;
        if (missing == 0)
            return last;
    }
}

static void put_operand(isg_text *w, const isg_composite *c, int last);

static void put_bracketed(isg_text *w, const isg_composite *c, int last, bool brackets)
{
    isg_put(w, "%s", brackets ? "(" : "");
    put_operand(w, c, last);
    isg_put(w, "%s", brackets ? ")" : "");
}

// Brackets wherever reading the text would join the operands in another order, which rounds otherwise.
static void put_operand(isg_text *w, const isg_composite *c, int last)
{
    const isg_step *step = &c->steps[last];
    isg_step_kind right = c->steps[last > 0 ? last - 1 : 0].kind;
    if (step->kind == ISG_STEP_ROW) {
        put_row(w, step);
    } else if (step->kind == ISG_STEP_MULTIPLE) {
        isg_put(w, "%.17g*", step->factor);
        put_bracketed(w, c, last - 1, right == ISG_STEP_SUM || right == ISG_STEP_MULTIPLE);
    } else {
        bool sum = step->kind == ISG_STEP_SUM;
        int before = first_of(c, last - 1) - 1;
        isg_step_kind left = c->steps[before].kind;
        put_bracketed(w, c, before, !sum && (left == ISG_STEP_SUM || left == ISG_STEP_MULTIPLE));
        isg_put(w, "%s", sum ? " + " : "*");
        put_bracketed(w, c, last - 1, sum ? right == ISG_STEP_SUM : right != ISG_STEP_ROW);
    }
}

size_t isg_composite_text(const isg_composite *composite, char *text, size_t bytes)
{
    isg_text w = {text, bytes, 0};
    if (bytes)
        text[0] = 0;
    if (!composite || composite->count < 1)
        return 0;
    put_operand(&w, composite, composite->count - 1);
    return w.length;
}

// --- from text

typedef struct reader {
    const char *text, *at;
    int depth; // of brackets
    isg_error *error;
} reader;

static isg_status parse_sum(reader *r, isg_composite **out);

static char next(reader *r)
{
    while (isg_is_space(*r->at))
        r->at++;
    return *r->at;
}

static isg_status unexpected(reader *r, const char *wanted)
{
    if (!next(r))
        return isg_fail(r->error, ISG_ERR_ARGUMENT, "'%s' ends where %s should come", r->text, wanted);
    return isg_fail(r->error, ISG_ERR_ARGUMENT, "'%s': %s should come where '%.20s' stands", r->text, wanted, r->at);
}

// A name into `word`; its length, 0 when there is none.
static size_t take_word(reader *r, char *word, size_t bytes)
{
    size_t n = 0;
    next(r);
    while (isg_is_letter(r->at[n]) || isg_is_digit(r->at[n]) || r->at[n] == '_')
        n++;
    snprintf(word, bytes, "%.*s", (int)(n < bytes ? n : bytes - 1), r->at);
    r->at += n;
    return n;
}

static isg_status take_number(reader *r, double *value)
{
    char *end;
    next(r);
    *value = isg_read_double(r->at, &end);
    if (end == r->at)
        return unexpected(r, "a number");
    r->at = end;
    return ISG_OK;
}

// "(name=value, ...)" of a row, if there is one.
static isg_status parse_settings(reader *r, isg_kernel_params *params, isg_setting *settings)
{
    enum { WORD = 32 };
    static const char *const scales[] = {"gamma", "sigma", "lengthscale"};
    double *const values[] = {&params->gamma, &params->sigma, &params->lengthscale};
    const isg_kernel *row = params->kernel;
    isg_status st;
    if (next(r) != '(')
        return ISG_OK;
    r->at++;
    if (next(r) == ')')
        return r->at++, ISG_OK;
    for (;;) {
        char word[WORD];
        double value;
        int scale = 0;
        if (!take_word(r, word, sizeof word))
            return unexpected(r, "the name of a setting");
        if (next(r) != '=')
            return unexpected(r, "'='");
        r->at++;
        if ((st = take_number(r, &value)))
            return st;
        while (scale < 3 && strcmp(word, scales[scale]) != 0)
            scale++;
        if (scale < 3) {
            // 0 would mean the default; it is out of range like every number below it.
            if (value == 0)
                return isg_fail(r->error, ISG_ERR_ARGUMENT, "%s 0; it must be positive and finite", word);
            if (*values[scale] != 0)
                return isg_fail(r->error, ISG_ERR_ARGUMENT, "%s is given twice", word);
            *values[scale] = value;
        } else {
            const char *name = NULL;
            for (int p = 0; p < ISG_MAX_PARAMS && row->params[p].name; p++)
                if (strcmp(row->params[p].name, word) == 0)
                    name = row->params[p].name;
            if (!name || params->setting_count == ISG_MAX_PARAMS) { // the row says what it has
                const isg_setting wrong = {word, value};
                isg_kernel_values unused;
                st = isg_kernel_resolve(
                    &unused, isg_kernel_params(.kernel = row, .settings = &wrong, .setting_count = 1), 1, r->error);
                return st ? st : isg_fail(r->error, ISG_ERR_ARGUMENT, "%s is given twice", word);
            }
            settings[params->setting_count++] = (isg_setting){name, value};
        }
        if (next(r) == ')')
            return r->at++, ISG_OK;
        if (*r->at != ',')
            return unexpected(r, "',' or ')'");
        r->at++;
    }
}

static isg_status parse_row(reader *r, isg_composite **out)
{
    enum { WORD = 64 };
    char word[WORD];
    isg_setting settings[ISG_MAX_PARAMS];
    isg_kernel_params params = {.settings = settings};
    if (!take_word(r, word, sizeof word))
        return unexpected(r, "a kernel");
    params.kernel = isg_kernel_find(word);
    if (!params.kernel) {
        char names[700];
        isg_text list = {names, sizeof names, 0};
        const char *near = isg_kernel_nearest(word);
        for (const isg_kernel *const *row = isg_kernel_list(); *row; row++)
            isg_put(&list, "%s%s", list.length ? ", " : "", (*row)->name);
        return isg_fail(r->error, ISG_ERR_ARGUMENT, "no kernel is called '%s'%s%s%s The kernels are %s", word,
                        near ? "; did you mean '" : ".", near ? near : "", near ? "'?" : "", names);
    }
    isg_status st = parse_settings(r, &params, settings);
    return st ? st : isg_kernel_single(out, &params, r->error);
}

static isg_status parse_factor(reader *r, isg_composite **out)
{
    enum { DEEPEST = 32 };
    if (next(r) != '(')
        return parse_row(r, out);
    if (++r->depth > DEEPEST)
        return isg_fail(r->error, ISG_ERR_ARGUMENT, "more than %d brackets inside each other", DEEPEST);
    r->at++;
    isg_status st = parse_sum(r, out);
    if (!st && next(r) != ')')
        st = unexpected(r, "')'");
    if (st) {
        isg_composite_destroy(out);
        return st;
    }
    r->at++;
    r->depth--;
    return ISG_OK;
}

// Numbers and factors joined by '*'. Its numbers become one multiple of all of it.
static isg_status parse_product(reader *r, isg_composite **out)
{
    isg_status st = ISG_OK;
    isg_composite *all = NULL, *one = NULL, *joined;
    double factor = 1;
    bool numbers = false;
    for (bool first = true; first || next(r) == '*'; first = false) {
        if (!first)
            r->at++;
        if (isg_is_digit(next(r)) || *r->at == '.' || *r->at == '-') {
            double value = 0;
            if ((st = take_number(r, &value)))
                goto fail;
            factor *= value;
            numbers = true;
            if (!(factor > 0) || !isfinite(factor)) {
                st = isg_fail(r->error, ISG_ERR_ARGUMENT, "'%s': a factor of %g; it must be positive and finite",
                              r->text, value);
                goto fail;
            }
            continue;
        }
        if ((st = parse_factor(r, &one)))
            goto fail;
        if (all) {
            if ((st = isg_kernel_product(&joined, all, one, r->error)))
                goto fail;
            isg_composite_destroy(&all);
            isg_composite_destroy(&one);
            all = joined;
        } else {
            all = one;
            one = NULL;
        }
    }
    if (!all) {
        st = unexpected(r, "'*' and a kernel");
        goto fail;
    }
    if (numbers) {
        if ((st = isg_kernel_multiple(&joined, factor, all, r->error)))
            goto fail;
        isg_composite_destroy(&all);
        all = joined;
    }
    *out = all;
    return ISG_OK;
fail:
    isg_composite_destroy(&one);
    isg_composite_destroy(&all);
    *out = NULL;
    return st;
}

static isg_status parse_sum(reader *r, isg_composite **out)
{
    isg_composite *term, *joined;
    isg_status st = parse_product(r, out);
    while (!st && next(r) == '+') {
        r->at++;
        if ((st = parse_product(r, &term)))
            break;
        st = isg_kernel_sum(&joined, *out, term, r->error);
        isg_composite_destroy(&term);
        if (!st) {
            isg_composite_destroy(out);
            *out = joined;
        }
    }
    if (st)
        isg_composite_destroy(out);
    return st;
}

isg_status isg_kernel_parse(isg_composite **out, const char *text, isg_error *error)
{
    reader r = {text, text, 0, error};
    isg_error_clear(error);
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    if (!text)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no covariance function");
    isg_status st = parse_sum(&r, out);
    if (!st && next(&r))
        st = unexpected(&r, "'+', '*' or the end");
    if (st)
        isg_composite_destroy(out);
    return st;
}
