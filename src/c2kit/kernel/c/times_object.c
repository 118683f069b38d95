/* Clocks for Python. */
#include "objects.h"

#include "times.h"

struct clock_object {
    PyObject_HEAD
    struct clock clock;
};

static bool longs_parse(PyObject *tuple, int64_t *to)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(tuple) && !PyErr_Occurred(); i++)
        to[i] = PyLong_AsLongLong(PyTuple_GetItem(tuple, i));
    return !PyErr_Occurred();
}

/* Numbers far beyond what clocks and tables tell could overflow when they are added up. */
static bool is_moderate(int64_t number) { return number > -((int64_t)1 << 60) && number < (int64_t)1 << 60; }

static bool clock_check(const struct clock *clock)
{
    bool is_right = clock->code < CODES && clock->fine_bits <= 64 && clock->entry_count > 0
        && is_moderate(clock->epoch_seconds) && clock->epoch_ns >= 0 && clock->epoch_ns < 1000000000;
    for (int64_t i = 0; i < clock->entry_count; i++)
        is_right &= is_moderate(clock->entries[i].offset);
    if (!is_right)
        PyErr_SetString(PyExc_ValueError, "no such clock");
    return is_right;
}

/* Clock(code, bits of the fraction, whether it is TAI, epoch's seconds and nanoseconds, entries one after another, seconds
 * that leap seconds fold onto, expiry). */
static bool clock_parse(struct clock *clock, PyObject *arguments)
{
    PyObject *entries, *inserted;
    long long epoch_seconds, epoch_ns, expires;
    int is_tai;
    if (!PyArg_ParseTuple(arguments, "bbpLLO!O!L", &clock->code, &clock->fine_bits, &is_tai, &epoch_seconds, &epoch_ns,
                          &PyTuple_Type, &entries, &PyTuple_Type, &inserted, &expires))
        return false;
    clock->is_tai = is_tai;
    clock->epoch_seconds = epoch_seconds;
    clock->epoch_ns = epoch_ns;
    clock->expires = expires;
    clock->entry_count = PyTuple_Size(entries) / 3;
    clock->inserted_count = PyTuple_Size(inserted);
    clock->entries = PyMem_Calloc((size_t)clock->entry_count + 1, sizeof *clock->entries);
    clock->inserted = PyMem_Calloc((size_t)clock->inserted_count + 1, sizeof *clock->inserted);
    if (!clock->entries || !clock->inserted) {
        PyErr_NoMemory();
        return false;
    }
    return longs_parse(entries, &clock->entries->start) && longs_parse(inserted, clock->inserted) && clock_check(clock);
}

static PyObject *clock_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Clock takes no keywords");
        return NULL;
    }
    struct clock_object *self = (struct clock_object *)type->tp_alloc(type, 0);
    if (self && !clock_parse(&self->clock, arguments))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void clock_dealloc(PyObject *object)
{
    struct clock_object *self = (struct clock_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyMem_Free(self->clock.entries);
    PyMem_Free(self->clock.inserted);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Takes hold of bytes, or of none. */
static bool bytes_take(Py_buffer *view, PyObject *array, int flags, int64_t size)
{
    if (array == Py_None)
        return true;
    if (PyObject_GetBuffer(array, view, flags) < 0)
        return false;
    if (view->len >= size)
        return true;
    PyErr_SetString(PyExc_ValueError, "not as many as there are packets");
    return false;
}

enum { FIRST, SECOND_WORD, THIRD, PRESENT, TIMES, IS_VALID, IS_LEAP, ARRAYS };

/* Writes times, which of them there are, and which are in leap seconds; gives how many were out of range, in leap seconds,
 * and after the table's expiry. Words are int64, flags are bytes. */
static PyObject *clock_tell(PyObject *object, PyObject *const *arguments, Py_ssize_t argument_count)
{
    const struct clock *clock = &((const struct clock_object *)object)->clock;
    Py_buffer views[ARRAYS] = {{0}};
    PyObject *result = NULL;
    if (argument_count != ARRAYS || arguments[FIRST] == Py_None || arguments[TIMES] == Py_None
        || arguments[IS_VALID] == Py_None || arguments[IS_LEAP] == Py_None) {
        PyErr_SetString(PyExc_TypeError, "tell takes three arrays of words, present, times, valid, leap");
        return NULL;
    }
    bool is_taken = int64_take(&views[TIMES], arguments[TIMES], true);
    int64_t count = is_taken ? views[TIMES].len / 8 : 0;
    for (int each = 0; each < ARRAYS && is_taken; each++) {
        int flags = each >= TIMES ? PyBUF_WRITABLE : PyBUF_SIMPLE;
        if (each < PRESENT && arguments[each] != Py_None)
            is_taken = int64_take(&views[each], arguments[each], false);
        else if (each >= PRESENT && each != TIMES)
            is_taken = bytes_take(&views[each], arguments[each], flags, count);
        if (is_taken && each < PRESENT && views[each].obj && views[each].len / 8 < count) {
            PyErr_SetString(PyExc_ValueError, "not as many as there are packets");
            is_taken = false;
        }
    }
    if (is_taken) {
        const uint64_t *const words[3] = {views[FIRST].buf, views[SECOND_WORD].buf, views[THIRD].buf};
        struct times times = {views[TIMES].buf, views[IS_VALID].buf, views[IS_LEAP].buf, 0, 0, 0};
        BEGIN_WORK(count * 20)
        tell_times(clock, words, views[PRESENT].buf, count, &times);
        END_WORK
        result = Py_BuildValue("LLL", (long long)times.out_of_range, (long long)times.leap, (long long)times.expired);
    }
    for (int each = 0; each < ARRAYS; each++)
        if (views[each].obj)
            PyBuffer_Release(&views[each]);
    return result;
}

static PyMethodDef clock_methods[] = {
    {"tell", (PyCFunction)(void (*)(void))clock_tell, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot clock_slots[] = {
    {Py_tp_new, (void *)clock_new},
    {Py_tp_dealloc, (void *)clock_dealloc},
    {Py_tp_methods, clock_methods},
    {0, NULL},
};

PyType_Spec clock_spec = {
    .name = "c2kit.kernel._kernel.Clock",
    .basicsize = sizeof(struct clock_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = clock_slots,
};
