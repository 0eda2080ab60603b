// The ground floor: errors, checked size arithmetic, array views. Knows nothing but libc.
#ifndef ISG_LIB_BASE_H
#define ISG_LIB_BASE_H

#include <isogram/base.h>

#include <stdbool.h>

#if defined(__GNUC__)
#define ISG_PRINTF(format_at, values_at) __attribute__((format(printf, format_at, values_at)))
#else
#define ISG_PRINTF(format_at, values_at)
#endif

// Keeps the first failure and returns the status handed in, so that `return isg_fail(…)` is how a function fails.
// error: may be NULL.
isg_status isg_fail(isg_error *error, isg_status status, const char *format, ...) ISG_PRINTF(3, 4);
#ifdef __clang_analyzer__ // which sees a file at a time, and has to be told that it is the status handed in
#define isg_fail(error, status, ...) ((void)(isg_fail)(error, status, __VA_ARGS__), (status))
#endif

// Makes one line of a message, whatever a user, a file or a driver put into it: control characters become spaces, so
// that none moves a terminal's cursor either.
void isg_one_line(char *text);

// As strtod, in the C locale whatever the process's: "0.5" is a half everywhere, as texts that are read again need it.
double isg_read_double(const char *text, char **end);

// The digits at *at, which moves behind them, as a number. False: there are none, or it is too large for one.
bool isg_read_digits(const char **at, int32_t *number);

// Letters, digits and spaces of ASCII; <ctype.h> asks the process's locale.
static inline bool isg_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char isg_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static inline bool isg_is_letter(char c)
{
    return isg_lower(c) >= 'a' && isg_lower(c) <= 'z';
}

static inline bool isg_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Whether a text begins with another, and is the other, whatever the case of their letters.
bool isg_begins_with(const char *text, const char *begin);
bool isg_same_word(const char *a, const char *b);

// A text that is put together piece by piece: cut off at `bytes`, the zero included, while `length` goes on counting.
// Its numbers are the C locale's, as those of messages are.
typedef struct isg_text {
    char *text;
    size_t bytes, length;
} isg_text;

void isg_put(isg_text *to, const char *format, ...) ISG_PRINTF(2, 3);

// Forgets a kept failure; a public call does so on entry.
void isg_error_clear(isg_error *error);

// product = a * b for non-negative sizes; false when it does not fit 63 bits.
bool isg_mul(int64_t a, int64_t b, int64_t *product);

// The number of elements of a shape. ISG_ERR_SHAPE: an extent below 0 or a bad ndim; ISG_ERR_OVERFLOW: the count, or
// its bytes, exceed 63 bits or the address space.
isg_status isg_shape_count(isg_dtype dtype, int32_t ndim, const int64_t *shape, int64_t *count, isg_error *error);

// Element indices, relative to element (0, …, 0), from the lowest to behind the highest, of an array with elements.
// false: beyond 63 bits.
bool isg_array_span(const isg_array *array, int64_t *low, int64_t *end);
// ISG_ERR_OVERFLOW where its elements' places, in bytes, do not fit 63 bits. name: "the stencil", for the message.
isg_status isg_array_addressable(const isg_array *array, const char *name, isg_error *error);

// The element at a row-major place of an array with any strides, in elements from array.data.
int64_t isg_index_at(const isg_array *array, int64_t place);

// The smallest multiple of `multiple` that is not below `value`.
static inline int64_t isg_round_up(int64_t value, int64_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

static inline int64_t isg_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t isg_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// A 64-byte aligned block of zeros, freed with free(); NULL when memory or the size is out of bounds.
void *isg_alloc(int64_t count, size_t element_bytes);

// A block that is large and not zeroed, on huge pages where the system has them: for what is written in long sweeps.
// Freed with free(); NULL when memory or the size is out of bounds.
void *isg_alloc_large(int64_t bytes);

// Element `index` (in elements from array.data) as a double; exact but for 64-bit integers, which are rounded.
double isg_load_double(isg_dtype dtype, const void *data, int64_t index);

// The other way round, rounded to ISG_F64 or ISG_F32; inline, for it stands in inner loops.
static inline void isg_store_double(isg_dtype dtype, void *data, int64_t index, double value)
{
    if (dtype == ISG_F64)
        ((double *)data)[index] = value;
    else
        ((float *)data)[index] = (float)value;
}

// The least number of letters to insert, delete or replace that makes one word of the other: Levenshtein 1966. Words of
// more than 63 letters count as far.
size_t isg_edit_distance(const char *a, const char *b);

// Monotonic seconds.
double isg_seconds(void);

#endif
