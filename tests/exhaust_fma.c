// fma_by_integers against the C library's fma for 10^8 hard triples in single and 10^7 in double precision; prints how
// many differ, which must be none. Not part of the test suite: it takes about a minute.
#include "fma_variant.h"

#include "base.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 1 << 14 };

static double a[BLOCK], b[BLOCK], c[BLOCK], got[BLOCK], want[BLOCK]; // room for either precision

// How many of `count` triples differ, the last block being a whole one.
static int64_t differing(const fma_variant *v, int64_t count)
{
    size_t bytes = isg_dtype_bytes(v->dtype);
    suite_random random = suite_stream(v->dtype == ISG_F64 ? 12 : 11);
    int64_t wrong = 0, done = 0, reported = 0;
    double start = isg_seconds();
    for (; done < count; done += BLOCK) {
        if (done >= reported) {
            fprintf(stderr, "%s: %3.0f %%, %.0f s\n", isg_dtype_name(v->dtype), 100.0 * (double)done / (double)count,
                    isg_seconds() - start);
            reported += count / 10;
        }
        v->draw(&random, a, b, c, BLOCK);
        v->by_integers(a, b, c, got, BLOCK);
        v->by_library(a, b, c, want, BLOCK);
        for (int64_t at = 0, i; at < BLOCK; at = i + 1) {
            i = v->difference((char *)got + (size_t)at * bytes, (char *)want + (size_t)at * bytes, BLOCK - at);
            if (i < 0)
                break;
            i += at;
            if (wrong++ < 10)
                printf("fma(%a, %a, %a) gives %a, not %a\n", isg_load_double(v->dtype, a, i),
                       isg_load_double(v->dtype, b, i), isg_load_double(v->dtype, c, i),
                       isg_load_double(v->dtype, got, i), isg_load_double(v->dtype, want, i));
        }
    }
    printf("%s: %" PRId64 " triples, %" PRId64 " differ; %.1f s\n", isg_dtype_name(v->dtype), done, wrong,
           isg_seconds() - start);
    fflush(stdout);
    return wrong;
}

int main(void)
{
    int64_t wrong = differing(&fma_variant_32, 100000000) + differing(&fma_variant_64, 10000000);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
