#include "base.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

const char *isg_status_name(isg_status status)
{
    static const char *const names[] = {
        [ISG_OK] = "ok",
        [ISG_ERR_ARGUMENT] = "argument",
        [ISG_ERR_SHAPE] = "shape",
        [ISG_ERR_DTYPE] = "dtype",
        [ISG_ERR_OVERFLOW] = "overflow",
        [ISG_ERR_NONFINITE] = "nonfinite",
        [ISG_ERR_RANGE] = "range",
        [ISG_ERR_MEMORY] = "memory",
        [ISG_ERR_IO] = "io",
        [ISG_ERR_FORMAT] = "format",
        [ISG_ERR_NO_DEVICE] = "no-device",
        [ISG_ERR_UNTRUSTED] = "untrusted",
        [ISG_ERR_UNSUPPORTED] = "unsupported",
        [ISG_ERR_BUILD] = "build",
        [ISG_ERR_DEVICE] = "device",
        [ISG_ERR_CANCELLED] = "cancelled",
        [ISG_ERR_INCOMPLETE] = "incomplete",
    };
    _Static_assert(COUNT(names) == ISG_STATUS_COUNT, "a status without a name");
    return (size_t)status < COUNT(names) ? names[status] : "unknown";
}

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
    [ISG_DTYPE_NONE] = {"none", 0}, [ISG_F32] = {"float32", 4}, [ISG_F64] = {"float64", 8}, [ISG_I8] = {"int8", 1},
    [ISG_U8] = {"uint8", 1},        [ISG_I16] = {"int16", 2},   [ISG_U16] = {"uint16", 2},  [ISG_I32] = {"int32", 4},
    [ISG_U32] = {"uint32", 4},      [ISG_I64] = {"int64", 8},   [ISG_U64] = {"uint64", 8},  [ISG_F16] = {"float16", 2},
};
_Static_assert(COUNT(dtypes) == ISG_DTYPE_COUNT, "a dtype without a row");

size_t isg_dtype_bytes(isg_dtype dtype)
{
    return (size_t)dtype < COUNT(dtypes) ? dtypes[dtype].bytes : 0;
}

const char *isg_dtype_name(isg_dtype dtype)
{
    return (size_t)dtype < COUNT(dtypes) ? dtypes[dtype].name : "unknown";
}

const char *isg_version(void)
{
    return ISG_VERSION;
}

void isg_one_line(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            *c = ' ';
}

// Makes the C locale that of the calling thread. What it returns goes to leave_c_locale; without memory for it, numbers
// are as the process writes them.
typedef struct c_locale {
    locale_t made, before;
} c_locale;

static c_locale enter_c_locale(void)
{
    c_locale l = {newlocale(LC_ALL_MASK, "C", (locale_t)0), (locale_t)0};
    if (l.made)
        l.before = uselocale(l.made);
    return l;
}

static void leave_c_locale(c_locale l)
{
    if (l.made) {
        uselocale(l.before);
        freelocale(l.made);
    }
}

static int put_values(char *text, size_t bytes, const char *format, va_list values) ISG_PRINTF(3, 0);
static int put_values(char *text, size_t bytes, const char *format, va_list values)
{
    c_locale l = enter_c_locale();
    int length = vsnprintf(text, bytes, format, values);
    leave_c_locale(l);
    return length;
}

double isg_read_double(const char *text, char **end)
{
    c_locale l = enter_c_locale();
    double value = strtod(text, end);
    leave_c_locale(l);
    return value;
}

bool isg_read_digits(const char **at, int32_t *number)
{
    int64_t value = 0;
    const char *c = *at;
    for (; isg_is_digit(*c) && value <= INT32_MAX; c++)
        value = 10 * value + (*c - '0');
    if (c == *at || value > INT32_MAX)
        return false;
    *at = c;
    *number = (int32_t)value;
    return true;
}

bool isg_begins_with(const char *text, const char *begin)
{
    while (*begin && isg_lower(*text) == isg_lower(*begin))
        text++, begin++;
    return *begin == 0;
}

bool isg_same_word(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && isg_begins_with(a, b);
}

isg_status(isg_fail)(isg_error *error, isg_status status, const char *format, ...)
{
    if (error && error->status == ISG_OK) {
        error->status = status;
        va_list values;
        va_start(values, format);
        put_values(error->message, sizeof error->message, format, values);
        va_end(values);
        isg_one_line(error->message);
    }
    return status;
}

void isg_error_clear(isg_error *error)
{
    if (error) {
        error->status = ISG_OK;
        error->message[0] = 0;
    }
}

bool isg_mul(int64_t a, int64_t b, int64_t *product)
{
    if (a < 0 || b < 0 || (b != 0 && a > INT64_MAX / b))
        return false;
    *product = a * b;
    return true;
}

bool isg_array_span(const isg_array *array, int64_t *low, int64_t *end)
{
    *low = 0;
    *end = 1;
    for (int32_t axis = 0; axis < array->ndim; axis++) {
        int64_t steps = array->shape[axis] - 1, stride = array->strides[axis], reach;
        if (steps == 0)
            continue;
        if (stride == INT64_MIN || !isg_mul(steps, stride < 0 ? -stride : stride, &reach))
            return false;
        if (stride < 0 ? *low < INT64_MIN + reach : *end > INT64_MAX - reach)
            return false;
        *(stride < 0 ? low : end) += stride < 0 ? -reach : reach;
    }
    return true;
}

isg_status isg_array_addressable(const isg_array *array, const char *name, isg_error *error)
{
    int64_t low, end, bytes;
    const int64_t element = (int64_t)isg_dtype_bytes(array->dtype);
    if (!isg_array_span(array, &low, &end) || low < -INT64_MAX / 8 || !isg_mul(end, element, &bytes))
        return isg_fail(error, ISG_ERR_OVERFLOW, "the strides of %s reach beyond memory", name);
    return ISG_OK;
}

int64_t isg_index_at(const isg_array *array, int64_t place)
{
    int64_t index = 0;
    for (int32_t axis = array->ndim - 1; axis >= 0; axis--) {
        index += place % array->shape[axis] * array->strides[axis];
        place /= array->shape[axis];
    }
    return index;
}

isg_status isg_shape_count(isg_dtype dtype, int32_t ndim, const int64_t *shape, int64_t *count, isg_error *error)
{
    if (ndim < 1 || ndim > ISG_MAX_NDIM)
        return isg_fail(error, ISG_ERR_SHAPE, "%d dimensions; 1 to %d are possible", (int)ndim, ISG_MAX_NDIM);
    int64_t total = 1, bytes = 0;
    char text[ISG_MAX_NDIM * 24] = "";
    for (int32_t axis = 0, at = 0; axis < ndim; axis++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%lld", axis ? " x " : "", (long long)shape[axis]);
    for (int32_t axis = 0; axis < ndim; axis++) {
        if (shape[axis] < 0)
            return isg_fail(error, ISG_ERR_SHAPE, "the size %s has a negative extent", text);
        if (!isg_mul(total, shape[axis], &total))
            return isg_fail(error, ISG_ERR_OVERFLOW, "the size %s does not fit 64 bits", text);
    }
    if (!isg_mul(total, (int64_t)isg_dtype_bytes(dtype), &bytes) || (uint64_t)bytes > SIZE_MAX / 2 ||
        bytes > INT64_MAX - 64)
        return isg_fail(error, ISG_ERR_OVERFLOW, "the size %s of %s cannot be addressed with 64 bits", text,
                        isg_dtype_name(dtype));
    *count = total;
    return ISG_OK;
}

void *isg_alloc(int64_t count, size_t element_bytes)
{
    int64_t bytes;
    if (!isg_mul(count, (int64_t)element_bytes, &bytes) || (uint64_t)bytes > SIZE_MAX / 2 || bytes > INT64_MAX - 64)
        return NULL;
    size_t rounded = (size_t)isg_round_up(bytes > 0 ? bytes : 1, 64);
    void *block = aligned_alloc(64, rounded);
    if (block)
        memset(block, 0, rounded);
    return block;
}

void *isg_alloc_large(int64_t bytes)
{
    const int64_t huge_page = (int64_t)2 << 20;
    if (bytes < 0 || bytes > INT64_MAX - huge_page || (uint64_t)bytes > SIZE_MAX / 2)
        return NULL;
    size_t rounded = (size_t)isg_round_up(bytes > 0 ? bytes : 1, huge_page);
    void *block = aligned_alloc((size_t)huge_page, rounded);
#ifdef MADV_HUGEPAGE
    if (block)
        madvise(block, rounded, MADV_HUGEPAGE);
#endif
    return block;
}

// The number that 16 bits are, exactly. By hand: not every C compiler has a type for it.
static double load_half(uint16_t half)
{
    uint64_t field = half >> 10 & 31, digits = half & 1023;
    double value = (double)digits * 0x1p-24; // subnormal, or zero
    if (field > 0) {
        uint64_t b = (field < 31 ? field + (1023 - 15) : 2047) << 52 | digits << 42;
        memcpy(&value, &b, sizeof value);
    }
    return half >> 15 ? -value : value;
}

double isg_load_double(isg_dtype dtype, const void *data, int64_t index)
{
    switch (dtype) {
    case ISG_F32: return ((const float *)data)[index];
    case ISG_F64: return ((const double *)data)[index];
    case ISG_I8: return ((const int8_t *)data)[index];
    case ISG_U8: return ((const uint8_t *)data)[index];
    case ISG_I16: return ((const int16_t *)data)[index];
    case ISG_U16: return ((const uint16_t *)data)[index];
    case ISG_I32: return ((const int32_t *)data)[index];
    case ISG_U32: return ((const uint32_t *)data)[index];
    case ISG_I64: return (double)((const int64_t *)data)[index];
    case ISG_U64: return (double)((const uint64_t *)data)[index];
    case ISG_F16: return load_half(((const uint16_t *)data)[index]);
    case ISG_DTYPE_NONE:
    case ISG_DTYPE_COUNT: break;
    }
    return 0;
}

void isg_put(isg_text *to, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    size_t room = to->length < to->bytes ? to->bytes - to->length : 0;
    int n = put_values(room ? to->text + to->length : NULL, room, format, values);
    va_end(values);
    to->length += n > 0 ? (size_t)n : 0;
}

size_t isg_edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t row[LONGEST], length = strlen(b);
    if (strlen(a) >= LONGEST || length >= LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t before = row[0]; // the row above, one to the left
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t above = row[j], best = before + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            before = above;
        }
    }
    return row[length];
}

double isg_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
