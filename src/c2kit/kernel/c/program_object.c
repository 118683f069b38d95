/* Programs as Python objects: a layout, compiled, that decodes. */
#include "objects.h"

#include "decode.h"

/* What columns are made of: the class Column, numpy.ndarray, for each field the type of its numbers, and the names of a
 * Column's attributes. */
enum { VALUES, VALID, OFFSETS, IS_BYTES, IS_TEXT, ATTRIBUTES };

struct program_object {
    PyObject_HEAD
    struct program program;
    PyObject *column_type, *array_type, *number_types;
    PyObject *names[ATTRIBUTES];
};

/* -- Making one ---------------------------------------------------------------------------------------------------- */

static bool condition_parse(PyObject *description, struct condition *condition)
{
    unsigned long long low, high;
    int negated;
    if (!PyArg_ParseTuple(description, "ibpKKd", &condition->teller, &condition->comparison, &negated, &low, &high,
                          &condition->operand))
        return false;
    condition->negated = (uint8_t)negated;
    condition->low = (int64_t)low;
    condition->high = (int64_t)high;
    return true;
}

/* How long a field is: what each kind of length needs to know, after the kind and the number of elements. */
static bool length_parse(PyObject *description, struct field *field)
{
    PyObject *told, *prefix;
    unsigned long long multiply, add;
    long long count, max_bytes;
    Py_ssize_t terminator, terminator_bytes;
    if (!PyArg_ParseTuple(description, "bLO!KKO!nnLi", &field->length, &count, &PyTuple_Type, &told, &multiply, &add,
                          &PyTuple_Type, &prefix, &terminator, &terminator_bytes, &max_bytes, &field->trailing))
        return false;
    field->count = count;
    field->multiply = multiply;
    field->add = add;
    field->terminator = (size_t)terminator;
    field->terminator_bytes = (size_t)terminator_bytes;
    field->max_bytes = max_bytes;
    if (terminator < 0 || terminator_bytes < 0) {
        PyErr_SetString(PyExc_ValueError, "no such terminator");
        return false;
    }
    return (!PyTuple_Size(told) || condition_parse(told, &field->told))
        && (!PyTuple_Size(prefix) || element_parse(prefix, &field->prefix));
}

static bool field_parse(PyObject *description, struct field *field)
{
    PyObject *element, *length;
    long long start;
    if (!PyArg_ParseTuple(description, "O!LiiO!", &PyTuple_Type, &element, &start, &field->first_condition,
                          &field->conditions, &PyTuple_Type, &length))
        return false;
    field->start = start;
    return element_parse(element, &field->element) && length_parse(length, field);
}

static bool program_parse(struct program *program, PyObject *fields, PyObject *conditions, const char *terminators,
                          Py_ssize_t terminators_bytes)
{
    Py_ssize_t count = PyTuple_Size(fields), condition_count = PyTuple_Size(conditions);
    if (count > INT32_MAX || condition_count > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many fields");
        return false;
    }
    program->fields = PyMem_Calloc((size_t)count + 1, sizeof *program->fields);
    program->conditions = PyMem_Calloc((size_t)condition_count + 1, sizeof *program->conditions);
    program->terminators = PyMem_Malloc((size_t)terminators_bytes + 1);
    if (!program->fields || !program->conditions || !program->terminators) {
        PyErr_NoMemory();
        return false;
    }
    program->count = (int32_t)count;
    program->condition_count = (int32_t)condition_count;
    program->terminators_bytes = (size_t)terminators_bytes;
    memcpy(program->terminators, terminators, (size_t)terminators_bytes);
    for (Py_ssize_t i = 0; i < count; i++)
        if (!field_parse(PyTuple_GetItem(fields, i), &program->fields[i]))
            return false;
    for (Py_ssize_t i = 0; i < condition_count; i++)
        if (!condition_parse(PyTuple_GetItem(conditions, i), &program->conditions[i]))
            return false;
    if (!program_check(program)) {
        PyErr_SetString(PyExc_ValueError, "a program that cannot be interpreted");
        return false;
    }
    return true;
}

static bool parts_take(struct program_object *self, PyObject *column_type, PyObject *array_type, PyObject *number_types)
{
    const char *const names[ATTRIBUTES] = {"values", "valid", "offsets", "is_bytes", "is_text"};
    self->column_type = Py_NewRef(column_type);
    self->array_type = Py_NewRef(array_type);
    self->number_types = Py_NewRef(number_types);
    for (int each = 0; each < ATTRIBUTES; each++)
        if (!(self->names[each] = PyUnicode_InternFromString(names[each])))
            return false;
    if (PyTuple_Size(number_types) == self->program.count)
        return true;
    PyErr_SetString(PyExc_ValueError, "not a type for each field");
    return false;
}

static PyObject *program_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *fields, *conditions, *column_type, *array_type, *number_types;
    const char *terminators;
    Py_ssize_t terminators_bytes;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Program takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!O!y#O!O!O!", &PyTuple_Type, &fields, &PyTuple_Type, &conditions, &terminators,
                          &terminators_bytes, &PyType_Type, &column_type, &PyType_Type, &array_type, &PyTuple_Type,
                          &number_types))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct program_object *self = (struct program_object *)allocate(type, 0);
    if (!self)
        return NULL;
    if (!program_parse(&self->program, fields, conditions, terminators, terminators_bytes)
        || !parts_take(self, column_type, array_type, number_types)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void program_dealloc(PyObject *object)
{
    struct program_object *self = (struct program_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyMem_Free(self->program.fields);
    PyMem_Free(self->program.conditions);
    PyMem_Free(self->program.terminators);
    Py_XDECREF(self->column_type);
    Py_XDECREF(self->array_type);
    Py_XDECREF(self->number_types);
    for (int each = 0; each < ATTRIBUTES; each++)
        Py_XDECREF(self->names[each]);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* -- Memory -------------------------------------------------------------------------------------------------------- */

/* One block of words, which Python made, and what of it is taken. While the first pass counts, there is no block. */
struct arena {
    uint8_t *block;
    int64_t taken;
};

static void *take(struct arena *arena, int64_t bytes)
{
    void *place = arena->block ? arena->block + arena->taken : NULL;
    arena->taken += (bytes + 7) / 8 * 8;
    return place;
}

/* A field's place in the outcome: where in the block its parts begin, -1 for those that there are not. */
struct place {
    int64_t values, status, offsets;
};

/* Whether a field's sequences are as many elements as is known from the number of packets. */
static bool is_countable(const struct field *field, const struct batch *batch)
{
    return is_number(field) || all_hold(field, batch);
}

/* Divides memory among columns; done twice, first to learn how much. False where no memory is large enough. */
static bool divide(const struct program *program, const struct batch *batch, struct column *columns,
                   struct place *places, struct arena *arena, struct arena *scratch)
{
    for (int32_t number = 0; number < program->count; number++) {
        const struct field *field = &program->fields[number];
        struct column *column = &columns[number];
        struct place *place = &places[number];
        *column = (struct column){0};
        *place = (struct place){-1, -1, -1};
        if (is_countable(field, batch)) {
            if (field->count && batch->count > MOST_ELEMENTS / field->count)
                return false;
            place->values = arena->taken;
            column->values = take(arena, batch->count * field->count * field->element.width);
        }
        if (!all_hold(field, batch)) {
            place->status = arena->taken;
            column->status = take(arena, batch->count);
            if (!is_number(field))
                column->firsts = take(scratch, 8 * batch->count);
        }
        if (has_offsets(field)) {
            place->offsets = arena->taken;
            column->offsets = take(arena, 8 * (batch->count + 1));
        }
        if (arena->taken > PY_SSIZE_T_MAX / 4 || scratch->taken > PY_SSIZE_T_MAX / 4)
            return false;
    }
    return true;
}

/* Takes hold of the words that `make` makes; or of `made`, which somebody made before. */
static bool words_take(Py_buffer *view, PyObject *make, PyObject **made, int64_t bytes)
{
    if (make && !(*made = PyObject_CallFunction(make, "L", (long long)((bytes + 7) / 8))))
        return false;
    if (!int64_take(view, *made, true))
        return false;
    if (view->len >= bytes)
        return true;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "too small for the columns");
    return false;
}

/* -- Decoding ------------------------------------------------------------------------------------------------------ */

/* What a call to decode works with. */
struct decoding {
    const struct program *program;
    struct packets packets;
    struct column *columns;
    struct place *places;
    PyObject **loose; /* of each field the words of its own, if it has some */
    Py_buffer *loose_views;
    Py_buffer block;
    PyObject *made;
    uint8_t *scratch;
};

static void decoding_end(struct decoding *decoding)
{
    if (decoding->loose)
        for (int32_t number = 0; number < decoding->program->count; number++) {
            if (decoding->loose_views[number].obj)
                PyBuffer_Release(&decoding->loose_views[number]);
            Py_XDECREF(decoding->loose[number]);
        }
    if (decoding->block.obj)
        PyBuffer_Release(&decoding->block);
    Py_XDECREF(decoding->made);
    PyMem_Free(decoding->columns);
    PyMem_Free(decoding->places);
    PyMem_Free(decoding->loose);
    PyMem_Free(decoding->loose_views);
    PyMem_Free(decoding->scratch);
    packets_drop(&decoding->packets);
}

static bool decoding_begin(struct decoding *decoding, PyObject *make)
{
    const struct program *program = decoding->program;
    size_t count = (size_t)program->count + 1;
    decoding->columns = PyMem_Calloc(count, sizeof *decoding->columns);
    decoding->places = PyMem_Calloc(count, sizeof *decoding->places);
    decoding->loose = PyMem_Calloc(count, sizeof *decoding->loose);
    decoding->loose_views = PyMem_Calloc(count, sizeof *decoding->loose_views);
    struct arena arena = {0}, scratch = {0};
    bool has_memory = decoding->columns && decoding->places && decoding->loose && decoding->loose_views
        && divide(program, &decoding->packets.batch, decoding->columns, decoding->places, &arena, &scratch);
    if (has_memory && scratch.taken)
        has_memory = (decoding->scratch = PyMem_Malloc((size_t)scratch.taken)) != NULL;
    if (!has_memory) {
        PyErr_NoMemory();
        return false;
    }
    if (!words_take(&decoding->block, make, &decoding->made, arena.taken))
        return false;
    arena = (struct arena){.block = decoding->block.buf};
    scratch = (struct arena){.block = decoding->scratch};
    return divide(program, &decoding->packets.batch, decoding->columns, decoding->places, &arena, &scratch);
}

/* Memory for what was counted while walking. */
static bool decoding_make_loose(struct decoding *decoding, PyObject *empty, PyObject *zeros)
{
    const struct batch *batch = &decoding->packets.batch;
    for (int32_t number = 0; number < decoding->program->count; number++) {
        const struct field *field = &decoding->program->fields[number];
        struct column *column = &decoding->columns[number];
        /* No memory for what is not there: a shape may be far larger than any packet that came. */
        if (column->values || (!has_offsets(field) && column->missing == batch->count))
            continue;
        int64_t elements = decode_elements(field, batch, column);
        if (elements < 0) {
            PyErr_NoMemory();
            return false;
        }
        PyObject *make = !has_offsets(field) && column->missing ? zeros : empty;
        int64_t bytes = elements * field->element.width;
        if (!words_take(&decoding->loose_views[number], make, &decoding->loose[number], bytes))
            return false;
        column->values = decoding->loose_views[number].buf;
    }
    return true;
}

/* About how many nanoseconds it will take. */
static int64_t steps_of(const struct decoding *decoding)
{
    const struct batch *batch = &decoding->packets.batch;
    int64_t steps = decoding->program->count + batch->longest / 16;
    return batch->count > WORTH_RELEASING ? batch->count : batch->count * (steps < WORTH_RELEASING ? steps : WORTH_RELEASING);
}

static void decoding_read_sequences(struct decoding *decoding)
{
    for (int32_t number = 0; number < decoding->program->count; number++) {
        const struct field *field = &decoding->program->fields[number];
        if (!is_number(field) && decoding->columns[number].values)
            decode_sequences(field, &decoding->packets.batch, &decoding->columns[number]);
    }
}

/* A Column of single numbers that every packet has, as its initialiser would make it, in a fifth of the time: there are
 * as many of these as there are items, whatever the number of packets. */
static PyObject *plain_column(const struct program_object *self, int32_t number, PyObject *count, PyObject *block,
                              int64_t first_byte)
{
    PyObject *place = PyLong_FromLongLong(first_byte);
    PyObject *type = PyTuple_GetItem(self->number_types, number);
    PyObject *values = place ? PyObject_CallFunctionObjArgs(self->array_type, count, type, block, place, NULL) : NULL;
    PyObject *column = values ? PyType_GenericAlloc((PyTypeObject *)self->column_type, 0) : NULL;
    PyObject *attributes[ATTRIBUTES] = {values, Py_None, Py_None, Py_False, Py_False};
    for (int each = 0; column && each < ATTRIBUTES; each++)
        if (PyObject_GenericSetAttr(column, self->names[each], attributes[each]) < 0)
            Py_CLEAR(column);
    Py_XDECREF(values);
    Py_XDECREF(place);
    return column;
}

/* A column in other words: (values' words, first byte of values, elements, first byte of validity and of offsets in the
 * block); -1 stands for what there is not. */
static PyObject *column_place(const struct decoding *decoding, int32_t number)
{
    const struct column *column = &decoding->columns[number];
    const struct place *place = &decoding->places[number];
    PyObject *words = decoding->loose[number] ? decoding->loose[number] : decoding->made;
    long long values = place->values >= 0 ? place->values : 0, elements = -1;
    if (column->values)
        elements = decode_elements(&decoding->program->fields[number], &decoding->packets.batch, column);
    return Py_BuildValue("OLLLL", words, values, elements, (long long)(column->missing ? place->status : -1),
                         (long long)place->offsets);
}

/* The block, and for each field its Column, or where its parts are. */
static PyObject *outcome(const struct program_object *self, const struct decoding *decoding)
{
    PyObject *count = PyLong_FromLongLong(decoding->packets.batch.count);
    PyObject *list = count ? PyList_New(decoding->program->count) : NULL;
    for (int32_t number = 0; list && number < decoding->program->count; number++) {
        const struct column *column = &decoding->columns[number];
        bool is_plain = is_number(&decoding->program->fields[number]) && !column->missing;
        PyObject *entry = is_plain ? plain_column(self, number, count, decoding->made, decoding->places[number].values)
                                   : column_place(decoding, number);
        if (!entry || PyList_SetItem(list, number, entry) < 0)
            Py_CLEAR(list);
    }
    Py_XDECREF(count);
    return list ? Py_BuildValue("ON", decoding->made, list) : NULL;
}

static PyObject *program_decode(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    const struct program_object *self = (const struct program_object *)object;
    struct decoding decoding = {.program = &self->program};
    PyObject *result = NULL;
    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "decode takes buffer, starts, ends, empty, zeros");
        return NULL;
    }
    if (!packets_take(&decoding.packets, arguments[0], arguments[1], arguments[2]))
        return NULL;
    if (decoding_begin(&decoding, arguments[3])) {
        BEGIN_WORK(steps_of(&decoding))
        decode_walk(decoding.program, &decoding.packets.batch, decoding.columns);
        END_WORK
        if (decoding_make_loose(&decoding, arguments[3], arguments[4])) {
            BEGIN_WORK(steps_of(&decoding))
            decoding_read_sequences(&decoding);
            END_WORK
            result = outcome(self, &decoding);
        }
    }
    decoding_end(&decoding);
    return result;
}

/* Whether each packet has all fields, and all are numbers; then the bytes of their columns. */
static int64_t plain_bytes(const struct program *program, const struct batch *batch)
{
    int64_t bytes = 0;
    for (int32_t number = 0; number < program->count; number++) {
        const struct field *field = &program->fields[number];
        if (!is_number(field) || !all_hold(field, batch) || batch->count > MOST_ELEMENTS)
            return -1;
        bytes += (batch->count * field->element.width + 7) / 8 * 8;
    }
    return bytes;
}

/* Decodes to words that are there already, so that nothing is allocated; gives how many bytes were written. The columns
 * stand in them as decode() would have them. Refuses fields that vary or are no numbers, and packets that lack one. */
static PyObject *program_decode_into(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    const struct program *program = &((struct program_object *)object)->program;
    struct packets packets;
    Py_buffer words;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "decode_into takes buffer, starts, ends, words");
        return NULL;
    }
    if (!packets_take(&packets, arguments[0], arguments[1], arguments[2]))
        return NULL;
    if (!int64_take(&words, arguments[3], true)) {
        packets_drop(&packets);
        return NULL;
    }
    int64_t bytes = plain_bytes(program, &packets.batch);
    struct column *columns = PyMem_Calloc((size_t)program->count + 1, sizeof *columns);
    if (bytes < 0 || bytes > words.len)
        PyErr_SetString(PyExc_ValueError, "not numbers alone, a packet that lacks one, or too few words");
    else if (!columns)
        PyErr_NoMemory();
    else {
        struct arena arena = {.block = words.buf};
        for (int32_t number = 0; number < program->count; number++)
            columns[number].values = take(&arena, packets.batch.count * program->fields[number].element.width);
        BEGIN_WORK(packets.batch.count * program->count)
        decode_walk(program, &packets.batch, columns);
        END_WORK
    }
    PyMem_Free(columns);
    PyBuffer_Release(&words);
    packets_drop(&packets);
    return PyErr_Occurred() ? NULL : PyLong_FromLongLong(bytes);
}

static PyMethodDef program_methods[] = {
    {"decode", (PyCFunction)(void (*)(void))program_decode, METH_FASTCALL, NULL},
    {"decode_into", (PyCFunction)(void (*)(void))program_decode_into, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_new, (void *)program_new},
    {Py_tp_dealloc, (void *)program_dealloc},
    {Py_tp_methods, program_methods},
    {0, NULL},
};

PyType_Spec program_spec = {
    .name = "c2kit.kernel._kernel.Program",
    .basicsize = sizeof(struct program_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = program_slots,
};
