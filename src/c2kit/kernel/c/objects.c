#include "objects.h"

bool int64_take(Py_buffer *view, PyObject *array, bool is_writable)
{
    if (PyObject_GetBuffer(array, view, PyBUF_ND | PyBUF_FORMAT | (is_writable ? PyBUF_WRITABLE : 0)) < 0)
        return false;
    const char *format = view->format ? view->format : "";
    bool is_integer = !strcmp(format, "l") || !strcmp(format, "q") || !strcmp(format, "n");
    bool is_int64 = is_integer && view->itemsize == 8 && view->ndim == 1 && (uintptr_t)view->buf % sizeof(int64_t) == 0;
    if (!is_int64) {
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_TypeError, "offsets are contiguous, aligned arrays of int64");
    }
    return is_int64;
}

bool packets_take(struct packets *packets, PyObject *buffer, PyObject *starts, PyObject *ends)
{
    if (PyObject_GetBuffer(buffer, &packets->buffer, PyBUF_SIMPLE) < 0)
        return false;
    if (!int64_take(&packets->starts, starts, false)) {
        PyBuffer_Release(&packets->buffer);
        return false;
    }
    if (!int64_take(&packets->ends, ends, false)) {
        PyBuffer_Release(&packets->starts);
        PyBuffer_Release(&packets->buffer);
        return false;
    }
    packets->batch = (struct batch){
        .data = packets->buffer.buf,
        .size = packets->buffer.len,
        .starts = packets->starts.buf,
        .ends = packets->ends.buf,
        .count = packets->starts.len / 8,
    };
    if (packets->starts.len == packets->ends.len && batch_check(&packets->batch) < 0)
        return true;
    packets_drop(packets);
    PyErr_SetString(PyExc_ValueError, "a packet is not in the buffer");
    return false;
}

void packets_drop(struct packets *packets)
{
    PyBuffer_Release(&packets->ends);
    PyBuffer_Release(&packets->starts);
    PyBuffer_Release(&packets->buffer);
}

bool tuple_check(PyObject *object)
{
    if (!PyTuple_Check(object))
        PyErr_SetString(PyExc_TypeError, "not a tuple");
    return PyTuple_Check(object);
}

bool element_parse(PyObject *description, struct element *element)
{
    const char *places;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(description, "bbbby#", &element->encoding, &element->bits, &element->order, &element->width,
                          &places, &count))
        return false;
    if (count > (Py_ssize_t)sizeof element->places || (element->order == MIXED && 8 * count != element->bits)) {
        PyErr_SetString(PyExc_ValueError, "not the places of the element's bytes");
        return false;
    }
    memcpy(element->places, places, (size_t)count);
    return true;
}
