// half_bits against the compiler's conversion, for all numbers in single precision and 10^8 hard ones in double; prints
// how many differ, which must be none. Not part of the test suite: it takes minutes, nearly all of them the compiler's
// conversion where that is software. Where the compiler has no _Float16 it is skipped.
#include "half_variant.h"

#include "base.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 3 << 14, SKIPPED = 77, REPORTED = 10 };

static double x[BLOCK]; // room for either precision
static uint16_t got[BLOCK], want[BLOCK];

// How many of `count` numbers differ.
static int64_t differing(const half_variant *v, int64_t count)
{
    suite_random random = suite_stream(21);
    int64_t wrong = 0, reported = 0;
    double start = isg_seconds();
    for (int64_t done = 0, block; done < count; done += block) {
        block = isg_min(BLOCK, count - done);
        if (done >= reported) {
            fprintf(stderr, "%s: %3.0f %%, %.0f s\n", isg_dtype_name(v->dtype), 100.0 * (double)done / (double)count,
                    isg_seconds() - start);
            reported += count / 10;
        }
        if (v->dtype == ISG_F64)
            v->draw(&random, x, block);
        for (int64_t i = 0; i < block && v->dtype == ISG_F32; i++)
            ((uint32_t *)x)[i] = (uint32_t)(done + i);
        v->rounded(x, got, block);
        v->by_compiler(x, want, block);
        for (int64_t i = 0; i < block; i++) {
            if (got[i] != want[i] && wrong++ < REPORTED)
                printf("%s: %a gives 0x%04x, not 0x%04x\n", isg_dtype_name(v->dtype), isg_load_double(v->dtype, x, i),
                       got[i], want[i]);
        }
    }
    printf("%s: %" PRId64 " numbers, %" PRId64 " differ; %.1f s\n", isg_dtype_name(v->dtype), count, wrong,
           isg_seconds() - start);
    fflush(stdout);
    return wrong;
}

int main(void)
{
    if (!half_variant_32.by_compiler) {
        printf("skipped: the compiler has no _Float16\n");
        return SKIPPED;
    }
    int64_t wrong = differing(&half_variant_32, (int64_t)1 << 32) + differing(&half_variant_64, 100000000);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
