/* What the parts of the extension module share: buffers in, and when to let other threads run. */
#ifndef C2KIT_OBJECTS_H
#define C2KIT_OBJECTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "program.h"

/* Packets as Python gives them. */
struct packets {
    Py_buffer buffer, starts, ends;
    struct batch batch;
};

/* Takes hold of a buffer and two arrays of int64, and sees to it that all packets are in the buffer. ValueError where
 * they are not: who called then finds the words. */
bool packets_take(struct packets *packets, PyObject *buffer, PyObject *starts, PyObject *ends);
void packets_drop(struct packets *packets);

/* Takes hold of an array of int64. */
bool int64_take(Py_buffer *view, PyObject *array, bool is_writable);

/* Letting other threads run costs as much as decoding some packets, and getting back may take milliseconds; so it is
 * done only where the work takes longer than that, in steps of about a nanosecond. */
#define WORTH_RELEASING ((int64_t)20000)

#define BEGIN_WORK(STEPS)                                                                                             \
    {                                                                                                                 \
        PyThreadState *saved_thread = (STEPS) > WORTH_RELEASING ? PyEval_SaveThread() : NULL;

#define END_WORK                                                                                                      \
        if (saved_thread)                                                                                             \
            PyEval_RestoreThread(saved_thread);                                                                       \
    }

/* Whether an object is a tuple, which parsing takes for granted; TypeError where it is none. */
bool tuple_check(PyObject *object);

/* struct element from (encoding, bits, order, width, places). */
bool element_parse(PyObject *description, struct element *element);

extern PyType_Spec program_spec, codec_spec, rule_spec, crc_spec, matcher_spec, clock_spec;

PyObject *module_sequence(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *module_limits(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif
