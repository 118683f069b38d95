/* The extension module: rules that split, checksums, and groups. Programs and codecs have files of their own. */
#include "objects.h"

#include "crc.h"
#include "split.h"

/* -- Rules --------------------------------------------------------------------------------------------------------- */

struct rule_object {
    PyObject_HEAD
    struct rule rule;
};

static PyObject *rule_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    struct rule rule;
    long long bit_offset, unit, adjustment;
    unsigned long long least, most;
    int is_little;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Rule takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "LipKKLL", &bit_offset, &rule.bits, &is_little, &least, &most, &unit, &adjustment))
        return NULL;
    const int64_t limit = (int64_t)1 << 60;
    if (bit_offset < 0 || bit_offset > limit || rule.bits < 1 || rule.bits > 64 || unit < 1 || unit > limit
        || adjustment < -limit || adjustment > limit
        || (least <= most && (least > (uint64_t)limit / (uint64_t)unit || (int64_t)least * unit + adjustment < 1))) {
        PyErr_SetString(PyExc_ValueError, "no rule that can be followed");
        return NULL;
    }
    rule.bit_offset = bit_offset;
    rule.is_little = is_little;
    rule.least = least;
    rule.most = rule.largest = most;
    rule.unit = unit;
    rule.adjustment = adjustment;
    struct rule_object *self = (struct rule_object *)type->tp_alloc(type, 0);
    if (self)
        self->rule = rule;
    return (PyObject *)self;
}

static void plain_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    type->tp_free(object);
    Py_DECREF(type);
}

/* The rule for a buffer of some size: no length above `largest` can be that of a packet which is all there. */
static struct rule rule_for(const struct rule *rule, int64_t size)
{
    struct rule mine = *rule;
    uint64_t largest = size < mine.adjustment ? 0 : (uint64_t)(size - mine.adjustment) / (uint64_t)mine.unit;
    mine.largest = largest < mine.most ? largest : mine.most;
    return mine;
}

static bool position_take(Py_buffer *view, PyObject *buffer, PyObject *start, int64_t *position)
{
    *position = PyLong_AsLongLong(start);
    if (PyErr_Occurred() || PyObject_GetBuffer(buffer, view, PyBUF_SIMPLE) < 0)
        return false;
    if (*position >= 0)
        return true;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "a place before the buffer");
    return false;
}

enum { FIRST_BOUNDS = 128 };

/* (bounds of packets as bytes of int64, the outcome, what the length field behind them says). */
static PyObject *rule_split(PyObject *object, PyObject *const *arguments, Py_ssize_t argument_count)
{
    int64_t few[FIRST_BOUNDS], *bounds = few, room = FIRST_BOUNDS, found = 0, position, count;
    Py_buffer view;
    if (argument_count != 2) {
        PyErr_SetString(PyExc_TypeError, "split takes buffer, start");
        return NULL;
    }
    if (!position_take(&view, arguments[0], arguments[1], &position))
        return NULL;
    struct rule rule = rule_for(&((struct rule_object *)object)->rule, view.len);
    enum outcome outcome = FIELD_INCOMPLETE;
    uint64_t length = 0;
    bounds[found++] = position;
    outcome = split(&rule, view.buf, view.len, &position, bounds + 1, room - 1, &count, &length);
    found += count;
    while (outcome == NO_MORE_ROOM) {
        int64_t more = 4 * room, *larger = PyMem_Malloc((size_t)more * sizeof *larger);
        if (!larger)
            break;
        memcpy(larger, bounds, (size_t)found * sizeof *larger);
        if (bounds != few)
            PyMem_Free(bounds);
        bounds = larger;
        room = more;
        BEGIN_WORK(4 * room)
        outcome = split(&rule, view.buf, view.len, &position, bounds + found, room - found, &count, &length);
        END_WORK
        found += count;
    }
    PyObject *result = NULL;
    if (outcome == NO_MORE_ROOM)
        PyErr_NoMemory();
    else {
        PyObject *bytes = PyByteArray_FromStringAndSize((const char *)bounds, (Py_ssize_t)(found * 8));
        result = bytes ? Py_BuildValue("NiK", bytes, (int)outcome, (unsigned long long)length) : NULL;
    }
    if (bounds != few)
        PyMem_Free(bounds);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *rule_seek(PyObject *object, PyObject *const *arguments, Py_ssize_t argument_count)
{
    Py_buffer view;
    int64_t position;
    if (argument_count != 2) {
        PyErr_SetString(PyExc_TypeError, "seek takes buffer, start");
        return NULL;
    }
    if (!position_take(&view, arguments[0], arguments[1], &position))
        return NULL;
    const struct rule *rule = &((struct rule_object *)object)->rule;
    BEGIN_WORK(view.len - position)
    position = seek(rule, view.buf, view.len, position);
    END_WORK
    PyBuffer_Release(&view);
    return PyLong_FromLongLong(position);
}

static PyMethodDef rule_methods[] = {
    {"split", (PyCFunction)(void (*)(void))rule_split, METH_FASTCALL, NULL},
    {"seek", (PyCFunction)(void (*)(void))rule_seek, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot rule_slots[] = {
    {Py_tp_new, (void *)rule_new},
    {Py_tp_dealloc, (void *)plain_dealloc},
    {Py_tp_methods, rule_methods},
    {0, NULL},
};

PyType_Spec rule_spec = {
    .name = "c2kit.kernel._kernel.Rule",
    .basicsize = sizeof(struct rule_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = rule_slots,
};

/* -- Checksums ----------------------------------------------------------------------------------------------------- */

struct crc_object {
    PyObject_HEAD
    struct crc crc;
};

static PyObject *crc_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    unsigned long long polynomial, initial, xor_out;
    int width, reflect_in, reflect_out;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Crc takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "iKKppK", &width, &polynomial, &initial, &reflect_in, &reflect_out, &xor_out))
        return NULL;
    if (width < 1 || width > 64 || (width < 64 && (polynomial | initial | xor_out) >> width)) {
        PyErr_SetString(PyExc_ValueError, "no CRC of such parameters");
        return NULL;
    }
    struct crc_object *self = (struct crc_object *)type->tp_alloc(type, 0);
    if (self)
        crc_init(&self->crc, width, polynomial, initial, reflect_in, reflect_out, xor_out);
    return (PyObject *)self;
}

/* Writes the CRC of each packet to an array of 64-bit words. */
static PyObject *crc_into(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    const struct crc *crc = &((struct crc_object *)object)->crc;
    struct packets packets;
    Py_buffer words;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "into takes buffer, starts, ends, words");
        return NULL;
    }
    if (!packets_take(&packets, arguments[0], arguments[1], arguments[2]))
        return NULL;
    if (!int64_take(&words, arguments[3], true)) {
        packets_drop(&packets);
        return NULL;
    }
    const struct batch *batch = &packets.batch;
    bool is_room = words.len / 8 >= batch->count;
    if (is_room) {
        BEGIN_WORK(batch->count * (batch->longest / 4 + 8))
        crc_of(crc, batch->data, batch->starts, batch->ends, batch->count, words.buf);
        END_WORK
    } else
        PyErr_SetString(PyExc_ValueError, "too few words");
    PyBuffer_Release(&words);
    packets_drop(&packets);
    return is_room ? Py_NewRef(Py_None) : NULL;
}

static PyObject *crc_of_buffer(PyObject *object, PyObject *buffer)
{
    const struct crc *crc = &((struct crc_object *)object)->crc;
    Py_buffer view;
    uint64_t word;
    if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    const int64_t start = 0, end = view.len;
    BEGIN_WORK(view.len / 4)
    crc_of(crc, view.buf, &start, &end, 1, &word);
    END_WORK
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLongLong(word);
}

static PyMethodDef crc_methods[] = {
    {"of", crc_of_buffer, METH_O, NULL},
    {"into", (PyCFunction)(void (*)(void))crc_into, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot crc_slots[] = {
    {Py_tp_new, (void *)crc_new},
    {Py_tp_dealloc, (void *)plain_dealloc},
    {Py_tp_methods, crc_methods},
    {0, NULL},
};

PyType_Spec crc_spec = {
    .name = "c2kit.kernel._kernel.Crc",
    .basicsize = sizeof(struct crc_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = crc_slots,
};

/* -- Groups -------------------------------------------------------------------------------------------------------- */

/* Sorts `labels` to `order`, with `bounds`; gives whether all labels were those of groups. */
static PyObject *module_group(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer labels, order, bounds;
    (void)module;
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "group takes labels, order, bounds");
        return NULL;
    }
    if (!int64_take(&labels, arguments[0], false))
        return NULL;
    if (!int64_take(&order, arguments[1], true)) {
        PyBuffer_Release(&labels);
        return NULL;
    }
    if (!int64_take(&bounds, arguments[2], true)) {
        PyBuffer_Release(&order);
        PyBuffer_Release(&labels);
        return NULL;
    }
    int64_t members = labels.len / 8, groups = bounds.len / 8 - 1, wrong = -1;
    bool is_room = order.len == labels.len && groups >= 0;
    if (is_room) {
        BEGIN_WORK(2 * members)
        wrong = group(labels.buf, members, groups, order.buf, bounds.buf);
        END_WORK
    } else
        PyErr_SetString(PyExc_ValueError, "the order has not as many places as there are labels");
    PyBuffer_Release(&bounds);
    PyBuffer_Release(&order);
    PyBuffer_Release(&labels);
    return is_room ? PyBool_FromLong(wrong < 0) : NULL;
}

/* -- The module ---------------------------------------------------------------------------------------------------- */

static int module_exec(PyObject *module)
{
    struct {
        const char *name;
        PyType_Spec *spec;
    } types[] = {{"Program", &program_spec}, {"Codec", &codec_spec}, {"Rule", &rule_spec}, {"Crc", &crc_spec},
                 {"Matcher", &matcher_spec}, {"Clock", &clock_spec}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, types[i].spec, NULL);
        int failed = type ? PyModule_AddObjectRef(module, types[i].name, type) : -1;
        Py_XDECREF(type);
        if (failed)
            return -1;
    }
    return 0;
}

static PyMethodDef module_methods[] = {
    {"group", (PyCFunction)(void (*)(void))module_group, METH_FASTCALL, NULL},
    {"limits", (PyCFunction)(void (*)(void))module_limits, METH_FASTCALL, NULL},
    {"sequence", (PyCFunction)(void (*)(void))module_sequence, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "c2kit.kernel._kernel",
    .m_doc = "The hot paths of c2kit.kernel in C; c2kit.kernel.compiled is how to use them.",
    .m_size = 0,
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&module_definition); }
