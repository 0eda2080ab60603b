// Statements run on a processor that treats subnormal numbers as some devices do. Only where there is one: the reader
// looks at CAN_FLUSH.
#ifndef ISG_TESTS_FLUSHING_H
#define ISG_TESTS_FLUSHING_H

#include <check.h>

#include <stdbool.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#define CAN_FLUSH 1

// What is flushed, as bits of the control register: results, arguments, or both.
enum { FLUSH_RESULTS = 0x8000, FLUSH_ARGUMENTS = 0x40, FLUSH_BOTH = 0x8040 };

#define FLUSHING_AS(mode, statement)                                                                                   \
    do {                                                                                                               \
        unsigned int before = _mm_getcsr();                                                                            \
        _mm_setcsr(before | (unsigned)(mode));                                                                         \
        volatile float least = 0x1p-126f;                                                                              \
        volatile float half = least * 0.5f, back = half * 2;                                                           \
        bool works = back == 0;                                                                                        \
        statement;                                                                                                     \
        _mm_setcsr(before);                                                                                            \
        ck_assert_msg(works, "this processor does not flush, so that nothing was tested");                             \
    } while (0)

#define FLUSHING(statement) FLUSHING_AS(FLUSH_BOTH, statement)

#else
#define CAN_FLUSH 0
#endif

#endif
