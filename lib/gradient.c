// The front of gradients: it validates everything.
#include "gradient_run.h"

#include <string.h>

int32_t isg_kernel_has_gradient(const isg_kernel *kernel)
{
    const int at = kernel ? isg_kernel_index(kernel) : -1;
    return at >= 0 && isg_kernel_derivative(at, ISG_BY_ARGUMENT) != NULL;
}

static isg_status numbers_of(isg_gram *gram, isg_gradient_plan *plan)
{
    return isg_gradient_plan_make(plan, &gram->op, gram->norms, &gram->context->error);
}

int64_t isg_gram_parameter_count(isg_gram *gram)
{
    isg_gradient_plan plan;
    if (isg_gram_enter(gram) || numbers_of(gram, &plan))
        return 0;
    return plan.count + (gram->op.lengthscales ? gram->op.x.dims : 0);
}

isg_status isg_gram_parameter(isg_gram *gram, int64_t index, isg_gradient_parameter *out)
{
    isg_gradient_plan plan;
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    if (!out)
        return isg_fail(&gram->context->error, ISG_ERR_ARGUMENT, "no place for a parameter");
    st = numbers_of(gram, &plan);
    const int64_t count = plan.count + (gram->op.lengthscales ? gram->op.x.dims : 0);
    *out = (isg_gradient_parameter){.row = -1, .coordinate = -1};
    if (st)
        return st;
    if (index < 0 || index >= count)
        return isg_fail(&gram->context->error, ISG_ERR_ARGUMENT, "there is no parameter %lld; there are %lld",
                        (long long)index, (long long)count);
    if (index >= plan.count) {
        out->name = "lengthscale";
        out->coordinate = index - plan.count;
        out->value = gram->op.lengthscales[out->coordinate];
        return ISG_OK;
    }
    const isg_gradient_number *number = &plan.numbers[index];
    out->name = number->name;
    out->value = number->value;
    if (number->kind == ISG_NUMBER_FACTOR)
        return ISG_OK;
    out->kernel = isg_kernel_list()[gram->op.plan.steps[number->step].kernel];
    out->row = 0;
    for (int i = 0; i < number->step; i++)
        out->row += gram->op.plan.steps[i].kind == ISG_STEP_ROW;
    return ISG_OK;
}

static isg_status check_matrix(isg_context *context, isg_array *a, int64_t rows, int64_t columns, const char *name,
                               isg_place *place)
{
    isg_error *error = &context->error;
    if (a->mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s is a cl_mem; it must lie in host memory", name);
    if (a->ndim == 1) {
        a->ndim = 2;
        a->shape[1] = 1;
        a->strides[1] = 1;
    }
    if (a->ndim != 2 || (!a->data && a->shape[0] > 0 && a->shape[1] > 0))
        return isg_fail(error, ISG_ERR_SHAPE, "%s must be a matrix or a vector, with data", name);
    if (a->shape[0] != rows || a->shape[1] < 0 || (columns >= 0 && a->shape[1] != columns))
        return isg_fail(error, ISG_ERR_SHAPE, "%s is %lld x %lld, and must have %lld rows and %lld columns", name,
                        (long long)a->shape[0], (long long)a->shape[1], (long long)rows,
                        (long long)(columns >= 0 ? columns : a->shape[1]));
    return isg_view_place(context, a, name, place);
}

static isg_status check_output(isg_gram *gram, isg_array *out, const isg_points *points, const char *name, bool mixed,
                               const isg_place *others, int count, isg_place *place)
{
    isg_error *error = &gram->context->error;
    const isg_dtype dtype = gram->op.x.dtype;
    isg_status st = check_matrix(gram->context, out, points->count, points->dims, name, place);
    if (st)
        return st;
    if (out->dtype != dtype && !(mixed && out->dtype == ISG_F64))
        return isg_fail(error, ISG_ERR_DTYPE, "%s is %s, the operator %s", name, isg_dtype_name(out->dtype),
                        isg_dtype_name(dtype));
    for (int i = 0; i < count; i++)
        if (isg_places_meet(place, &others[i]))
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s overlaps the memory of V, W, the points or another output",
                            name);
    if (isg_view_overlaps_itself(out))
        return isg_fail(error, ISG_ERR_SHAPE, "%s's strides of %lld and %lld make elements of it overlap", name,
                        (long long)out->strides[0], (long long)out->strides[1]);
    return ISG_OK;
}

static isg_status check_rows(isg_gram *gram, isg_array *rows, const isg_place *others, int count)
{
    isg_error *error = &gram->context->error;
    isg_place place;
    const int64_t columns = isg_gram_parameter_count(gram);
    isg_status st = error->status ? error->status : ISG_OK;
    if (!st && columns == 0)
        st = isg_fail(error, ISG_ERR_ARGUMENT, "the covariance function has no parameters, and rows nothing of them");
    if (st || (st = check_matrix(gram->context, rows, gram->op.x.count, columns, "rows", &place)))
        return st;
    if (rows->dtype != ISG_F64)
        return isg_fail(error, ISG_ERR_DTYPE, "rows is %s, and must be float64", isg_dtype_name(rows->dtype));
    for (int i = 0; i < count; i++)
        if (isg_places_meet(&place, &others[i]))
            return isg_fail(error, ISG_ERR_ARGUMENT, "rows overlaps the memory of V, W, the points or another output");
    if (isg_view_overlaps_itself(rows))
        return isg_fail(error, ISG_ERR_SHAPE, "rows's strides of %lld and %lld make elements of it overlap",
                        (long long)rows->strides[0], (long long)rows->strides[1]);
    return ISG_OK;
}

static isg_status check(isg_gram *gram, isg_gradient_params *p)
{
    enum { V, W, OF_X, OF_Y, X, Y };
    isg_error *error = &gram->context->error;
    const isg_operator *op = &gram->op;
    isg_place places[6] = {[OF_X] = gram->x_place, [OF_Y] = gram->y_place};
    isg_status st;
    const bool x = p->x.dtype != ISG_DTYPE_NONE, y = p->y.dtype != ISG_DTYPE_NONE,
               rows = p->rows.dtype != ISG_DTYPE_NONE;
    if ((unsigned)p->accumulate > ISG_PRECISION_F64 || (p->accumulate == ISG_PRECISION_F32 && op->x.dtype == ISG_F64))
        return isg_fail(error, ISG_ERR_ARGUMENT, "sums are of the operator's precision or of double");
    const bool mixed = p->accumulate == ISG_PRECISION_F64 && op->x.dtype == ISG_F32;
    if (!x && !y && !p->parameters && !rows)
        return isg_fail(error, ISG_ERR_ARGUMENT, "nothing of the gradient is wanted");
    if (y && op->alone)
        return isg_fail(error, ISG_ERR_ARGUMENT, "K(X, X) has one set of points; its gradient by them goes to x alone");
    if ((st = check_matrix(gram->context, &p->v, op->x.count, -1, "V", &places[V])) ||
        (st = check_matrix(gram->context, &p->w, op->y.count, p->v.shape[1], "W", &places[W])))
        return st;
    const isg_array *const inputs[] = {&p->v, &p->w};
    for (int i = 0; i < 2; i++)
        if (inputs[i]->dtype == ISG_F16)
            return isg_fail(error, ISG_ERR_DTYPE, "%s is of %s", i ? "W" : "V", isg_dtype_name(inputs[i]->dtype));
    if (p->v.shape[1] > INT32_MAX / 4)
        return isg_fail(error, ISG_ERR_OVERFLOW, "V has %lld columns", (long long)p->v.shape[1]);
    if ((x && (st = check_output(gram, &p->x, &op->x, "X's gradient", mixed, places, X, &places[X]))) ||
        (y && (st = check_output(gram, &p->y, &op->y, "Y's gradient", mixed, places, x ? Y : X, &places[Y]))))
        return st;
    if (rows && (st = check_rows(gram, &p->rows, places, X + x + y)))
        return st;
    return mixed ? isg_context_require(gram->context, ISG_F64) : ISG_OK;
}

isg_status isg_gram_gradient(isg_gram *gram, const isg_gradient_params *params)
{
    static const isg_gradient_params none;
    isg_gradient_params p = params ? *params : none;
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    st = check(gram, &p);
    return st ? st : isg_gradient_run(&gram->op, gram->norms, &p, isg_gradient_pass_run, gram, &gram->context->error);
}
