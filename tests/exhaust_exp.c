// |exp_nonpositive(x) - exp(x)| <= 1 ulp for every single-precision x in [-104, -0], fused and unfused; prints the
// largest error and where it is. Not part of the test suite: it takes minutes.
#include "oracle.h"

#include "reference.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2, BLOCK = 4096 };

typedef struct share {
    const isg_reference *reference;
    uint32_t first, last; // bits of x; both included
    double worst;
    float worst_at;
    uint64_t count, beyond; // inputs, and those with an error above 1 ulp
} share;

static void *work(void *argument)
{
    share *mine = argument;
    float x[BLOCK], y[BLOCK];
    for (uint64_t at = mine->first; at <= mine->last;) {
        int count = 0;
        for (; count < BLOCK && at <= mine->last; at++, count++) {
            uint32_t bits = (uint32_t)at;
            memcpy(&x[count], &bits, sizeof bits);
        }
        mine->reference->apply(FUNCTION_exp_nonpositive, x, NULL, y, count);
        for (int i = 0; i < count; i++) {
            double error = oracle_exp_error_f32(x[i], y[i]);
            mine->count++;
            mine->beyond += !(error <= 1);
            if (!(error <= mine->worst)) {
                mine->worst = error;
                mine->worst_at = x[i];
            }
        }
    }
    mpfr_free_cache();
    return NULL;
}

int main(void)
{
    float lowest = -104;
    uint32_t first = 0x80000000u, last;
    uint64_t beyond = 0;
    memcpy(&last, &lowest, sizeof last);
    for (int fused = 0; fused < 2; fused++) {
        share shares[THREADS];
        pthread_t threads[THREADS];
        uint32_t each = (last - first) / THREADS;
        for (int t = 0; t < THREADS; t++) {
            shares[t] = (share){.reference = isg_reference_get(ISG_F32, fused), .first = first + (uint32_t)t * each};
            shares[t].last = t == THREADS - 1 ? last : shares[t].first + each - 1;
            if (pthread_create(&threads[t], NULL, work, &shares[t]) != 0)
                return EXIT_FAILURE;
        }
        share all = {.worst = 0};
        for (int t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
            all.count += shares[t].count;
            all.beyond += shares[t].beyond;
            if (!(shares[t].worst <= all.worst)) {
                all.worst = shares[t].worst;
                all.worst_at = shares[t].worst_at;
            }
        }
        printf("%-21s %" PRIu64 " inputs: at most %.6f ulp, at %a (%.9g); %" PRIu64 " beyond 1 ulp\n",
               isg_contract_name(ISG_F32, fused), all.count, all.worst, (double)all.worst_at, (double)all.worst_at,
               all.beyond);
        fflush(stdout);
        beyond += all.beyond;
    }
    return beyond ? EXIT_FAILURE : EXIT_SUCCESS;
}
