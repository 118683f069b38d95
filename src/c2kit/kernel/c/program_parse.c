/* Programs from tuples, which c2kit.kernel.compiled.program writes. */
#include "program_object.h"

static bool condition_parse(PyObject *description, struct condition *condition)
{
    unsigned long long low, high;
    int negated;
    if (!tuple_check(description)
        || !PyArg_ParseTuple(description, "ibpKKd", &condition->teller, &condition->comparison, &negated, &low,
                             &high, &condition->operand))
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
    if (!tuple_check(description)
        || !PyArg_ParseTuple(description, "O!LiiO!", &PyTuple_Type, &element, &start, &field->first_condition,
                             &field->conditions, &PyTuple_Type, &length))
        return false;
    field->start = start;
    return element_parse(element, &field->element) && length_parse(length, field);
}

static bool conversion_parse(PyObject *description, struct conversion *conversion)
{
    return tuple_check(description)
        && PyArg_ParseTuple(description, "ibbii", &conversion->field, &conversion->kind, &conversion->extrapolation,
                            &conversion->first, &conversion->count);
}

static void *zeros(Py_ssize_t count, size_t size)
{
    void *memory = count < INT32_MAX ? PyMem_Calloc((size_t)count + 1, size) : NULL;
    if (!memory)
        PyErr_NoMemory();
    return memory;
}

static bool fields_parse(struct program *program, PyObject *fields, PyObject *conditions)
{
    Py_ssize_t count = PyTuple_Size(fields), condition_count = PyTuple_Size(conditions);
    if (!(program->fields = zeros(count, sizeof *program->fields))
        || !(program->conditions = zeros(condition_count, sizeof *program->conditions)))
        return false;
    program->count = (int32_t)count;
    program->condition_count = (int32_t)condition_count;
    for (Py_ssize_t i = 0; i < count; i++)
        if (!field_parse(PyTuple_GetItem(fields, i), &program->fields[i]))
            return false;
    for (Py_ssize_t i = 0; i < condition_count; i++)
        if (!condition_parse(PyTuple_GetItem(conditions, i), &program->conditions[i]))
            return false;
    return true;
}

static bool terminators_parse(struct program *program, PyObject *terminators)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(terminators, &bytes, &size) < 0 || !(program->terminators = zeros(size, 1)))
        return false;
    program->terminators_bytes = (size_t)size;
    memcpy(program->terminators, bytes, (size_t)size);
    return true;
}

/* (each conversion, all doubles, all words of ranges). */
static bool conversions_parse(struct program *program, PyObject *description)
{
    PyObject *conversions, *numbers, *ranges;
    if (!PyArg_ParseTuple(description, "O!O!O!", &PyTuple_Type, &conversions, &PyTuple_Type, &numbers, &PyTuple_Type,
                          &ranges))
        return false;
    Py_ssize_t count = PyTuple_Size(conversions), number_count = PyTuple_Size(numbers), words = PyTuple_Size(ranges);
    if (!(program->conversions = zeros(count, sizeof *program->conversions))
        || !(program->numbers = zeros(number_count, sizeof *program->numbers))
        || !(program->ranges = zeros(words, sizeof *program->ranges)))
        return false;
    program->conversion_count = (int32_t)count;
    program->number_count = (int32_t)number_count;
    program->range_count = (int32_t)(words / 2);
    for (Py_ssize_t i = 0; i < count; i++)
        if (!conversion_parse(PyTuple_GetItem(conversions, i), &program->conversions[i]))
            return false;
    for (Py_ssize_t i = 0; i < number_count && !PyErr_Occurred(); i++)
        program->numbers[i] = PyFloat_AsDouble(PyTuple_GetItem(numbers, i));
    for (Py_ssize_t i = 0; i < words && !PyErr_Occurred(); i++)
        program->ranges[i] = PyLong_AsUnsignedLongLongMask(PyTuple_GetItem(ranges, i));
    return !PyErr_Occurred();
}

bool program_parse(struct program *program, PyObject *fields, PyObject *conditions, PyObject *terminators,
                   PyObject *conversions)
{
    if (!fields_parse(program, fields, conditions) || !terminators_parse(program, terminators)
        || !conversions_parse(program, conversions))
        return false;
    if (program_check(program))
        return true;
    PyErr_SetString(PyExc_ValueError, "a program that cannot be interpreted");
    return false;
}

void program_free(struct program *program)
{
    PyMem_Free(program->fields);
    PyMem_Free(program->conditions);
    PyMem_Free(program->terminators);
    PyMem_Free(program->conversions);
    PyMem_Free(program->numbers);
    PyMem_Free(program->ranges);
}
