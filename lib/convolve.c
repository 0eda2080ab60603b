// The convolution's front: validates everything, then hands over to convolve_run.c.
#include "convolve.h"
#include "filter.h"

isg_status isg_convolve_call(isg_context *context, isg_array in, isg_array stencil, isg_array out,
                             const isg_convolve_params *params, isg_convolve_shape shape)
{
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    isg_convolve_plan plan = {.count = 0};
    bool in_place;
    st = isg_filter_check_pair(context, &in, &out, &in_place);
    if (st)
        return st;
    TRY(isg_convolve_plan_make(&plan, params, in.ndim, in.shape, &stencil, in.dtype, &context->error));
    TRY(isg_context_require(context, plan.dtype));
    if (in.dtype == ISG_F64 || out.dtype == ISG_F64)
        TRY(isg_context_require(context, ISG_F64));
    for (int32_t i = 0; i < plan.count; i++)
        plan.axis[i] += ISG_FILTER_MAX_NDIM - in.ndim;
    isg_convolve_job job = {.context = context,
                            .plan = &plan,
                            .in = isg_filter_widened(in),
                            .out = isg_filter_widened(out),
                            .in_place = in_place,
                            .progress = params ? params->progress : NULL,
                            .progress_user = params ? params->progress_user : NULL,
                            .shape = shape};
    TRY(isg_convolve_run(&job));
fail:
    isg_convolve_plan_free(&plan);
    return st;
}

isg_status isg_convolve(isg_context *context, isg_array in, isg_array stencil, isg_array out,
                        const isg_convolve_params *params)
{
    return isg_convolve_call(context, in, stencil, out, params, (isg_convolve_shape){0});
}
