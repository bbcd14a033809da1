// queue.cpp: each call is one statement, so that it also works through a pooler.
#include "listener/queue.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace vedfolnir
{
namespace
{

std::string interval(Milliseconds duration)
{
    return std::to_string(duration.count()) + " milliseconds";
}

std::vector<int64_t> ids_of(const std::vector<Task> &tasks)
{
    std::vector<int64_t> ids;
    for (const Task &task : tasks)
        ids.push_back(task.id);
    return ids;
}

std::vector<int64_t> fences_of(const std::vector<Task> &tasks)
{
    std::vector<int64_t> fences;
    for (const Task &task : tasks)
        fences.push_back(task.fence);
    return fences;
}

bool is_utf8(const std::string &text)
{
    for (size_t i = 0; i < text.size();) {
        const unsigned char lead = static_cast<unsigned char>(text[i++]);
        int rest = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : -1;
        // Overlong forms, surrogates and what lies above U+10FFFF are no characters.
        const unsigned char next = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
        if (rest < 0 || lead == 0xC0 || lead == 0xC1 || lead > 0xF4 || (lead == 0xE0 && next < 0xA0) ||
            (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) || (lead == 0xF4 && next > 0x8F))
            return false;
        for (; rest > 0; rest--)
            if (i == text.size() || (static_cast<unsigned char>(text[i++]) & 0xC0) != 0x80)
                return false;
    }
    return true;
}

} // namespace

bool is_known_schema_version(const std::string &version)
{
    return version == "1.0";
}

Queue::Queue(Database &database) : database_(database)
{
    const Result found = database_.query("SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace "
                                         "AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace "
                                         "WHERE e.extname OPERATOR(pg_catalog.=) 'vedfolnir'");
    if (found.rows() == 0)
        throw Error("42704", "extension \"vedfolnir\" is not installed in this database");
    schema_ = quote_identifier(found.text(0, 0));
    try {
        version_ = database_.query("SELECT " + function("vedfolnir_schema_version") + "()").text(0, 0);
    } catch (const Error &error) {
        if (error.sqlstate() == "42501")
            throw Error("42501", "the role may not use the queue: " + std::string(error.what()), {},
                        "SELECT vedfolnir_grant('" + role() + "', 'worker');");
        throw;
    }
    if (!is_known_schema_version(version_))
        throw Error("0A000", "schema version " + version_ + " of the extension is not known to this listener");
}

std::string Queue::role()
{
    return PQuser(database_.connection());
}

std::vector<Task> Queue::claim(const std::string &worker, int batch, Milliseconds lease,
                               const std::vector<std::string> &kinds, const std::string &service)
{
    const Result rows = database_.query("SELECT id, fence, deletion_id, kind, operation, service, target, attempts FROM " +
                                            function("vedfolnir_claim_tasks") + "($1, $2, $3, $4, $5)",
                                        {worker, std::to_string(batch), interval(lease), array_literal(kinds),
                                         array_literal(std::vector<std::string>{service})});
    std::vector<Task> tasks;
    for (int i = 0; i < rows.rows(); i++) {
        Task task;
        task.id = rows.number(i, 0);
        task.fence = rows.number(i, 1);
        task.deletion = rows.text(i, 2);
        task.kind = rows.text(i, 3);
        task.operation = rows.text(i, 4);
        task.service = rows.text(i, 5);
        task.target = rows.text(i, 6);
        task.readable = !rows.null(i, 6);
        task.attempts = static_cast<int>(rows.number(i, 7));
        tasks.push_back(std::move(task));
    }
    return tasks;
}

int Queue::finish(const std::vector<Task> &tasks, const std::vector<std::string> &outcomes)
{
    return static_cast<int>(
        database_.query("SELECT " + function("vedfolnir_finish_tasks") + "($1, $2, $3)",
                        {array_literal(ids_of(tasks)), array_literal(fences_of(tasks)), array_literal(outcomes)})
            .number(0, 0));
}

bool Queue::fail(const Task &task, const std::string &message, bool permanent, Milliseconds retry_after)
{
    return database_
               .query("SELECT " + function("vedfolnir_fail_task") + "($1, $2, $3, $4, $5)",
                      {std::to_string(task.id), std::to_string(task.fence), message, permanent ? "true" : "false",
                       interval(retry_after)})
               .text(0, 0) == "t";
}

bool Queue::postpone(const Task &task, const std::string &message, Milliseconds retry_after)
{
    return database_
               .query("SELECT " + function("vedfolnir_postpone_task") + "($1, $2, $3, $4)",
                      {std::to_string(task.id), std::to_string(task.fence), message, interval(retry_after)})
               .text(0, 0) == "t";
}

int Queue::release(const std::vector<Task> &tasks)
{
    return static_cast<int>(database_
                                .query("SELECT " + function("vedfolnir_release_tasks") + "($1, $2)",
                                       {array_literal(ids_of(tasks)), array_literal(fences_of(tasks))})
                                .number(0, 0));
}

int Queue::extend(const std::vector<Task> &tasks, Milliseconds lease)
{
    return static_cast<int>(
        database_
            .query("SELECT " + function("vedfolnir_extend_lease") + "($1, $2, $3)",
                   {array_literal(ids_of(tasks)), array_literal(fences_of(tasks)), interval(lease)})
            .number(0, 0));
}

std::set<int64_t> Queue::targets_in_use(const std::vector<Task> &tasks)
{
    // A lease may end meanwhile, and the answer would leave its task out. The arms of UNION ALL are run one after the other.
    const Result rows = database_.query("SELECT u FROM " + function("vedfolnir_targets_in_use") + "($1) AS u UNION ALL SELECT 0 WHERE NOT " +
                                            function("vedfolnir_require_leases") + "($1, $2)",
                                        {array_literal(ids_of(tasks)), array_literal(fences_of(tasks))});
    std::set<int64_t> ids;
    for (int i = 0; i < rows.rows(); i++)
        ids.insert(rows.number(i, 0));
    return ids;
}

// No row can name a path with a character that the database's encoding lacks. Asked for by itself: the same SQLSTATE may
// also come out of an expression of the application.
std::vector<std::string> Queue::nameable(const std::vector<std::string> &paths)
{
    try {
        database_.query("SELECT pg_catalog.cardinality($1::pg_catalog.text[])", {array_literal(paths)});
        return paths;
    } catch (const Error &error) {
        if (error.sqlstate() != "22P05")
            throw;
    }
    if (paths.size() == 1)
        return {};
    const auto middle = paths.begin() + static_cast<std::ptrdiff_t>(paths.size() / 2);
    std::vector<std::string> found = nameable({paths.begin(), middle});
    for (std::string &path : nameable({middle, paths.end()}))
        found.push_back(std::move(path));
    return found;
}

std::set<std::string> Queue::paths_in_use(const Task &task, const std::vector<std::string> &paths)
{
    std::vector<std::string> texts = paths;
    if (!database_.any_bytes()) { // no row can name what is no text
        texts.erase(std::remove_if(texts.begin(), texts.end(), [](const std::string &path) { return !is_utf8(path); }), texts.end());
        texts = nameable(texts);
    }
    const Result rows = database_.query("SELECT * FROM " + function("vedfolnir_paths_in_use") + "($1, $2, $3)",
                                        {std::to_string(task.id), std::to_string(task.fence), array_literal(texts)});
    std::set<std::string> found;
    for (int i = 0; i < rows.rows(); i++)
        found.insert(rows.text(i, 0));
    return found;
}

std::vector<Source> Queue::sources()
{
    const Result rows =
        database_.query("SELECT relation, kind, service FROM " + function("vedfolnir_cleanup_sources") + "()");
    std::vector<Source> found;
    for (int i = 0; i < rows.rows(); i++)
        found.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2)});
    return found;
}

std::vector<Depth> Queue::depth()
{
    const Result rows = database_.query("SELECT service, open, dead FROM " + function("vedfolnir_queue_depth") + "()");
    std::vector<Depth> found;
    for (int i = 0; i < rows.rows(); i++)
        found.push_back({rows.text(i, 0), rows.number(i, 1), rows.number(i, 2)});
    return found;
}

std::string Queue::server_time(Milliseconds ago)
{
    return database_
        .query("SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) $1::pg_catalog.interval)", {interval(ago)})
        .text(0, 0);
}

void Queue::heartbeat(const std::string &worker, const std::string &started_at, const Counters &counters)
{
    database_.query("SELECT " + function("vedfolnir_worker_heartbeat") +
                        "($1, $2, pg_catalog.to_timestamp($3), $4, $5, $6)",
                    {worker, VEDFOLNIR_VERSION, started_at, std::to_string(counters.done),
                     std::to_string(counters.skipped), std::to_string(counters.failed)});
}

int64_t Queue::prune(Milliseconds older_than)
{
    return database_.query("SELECT " + function("vedfolnir_prune_tasks") + "($1)", {interval(older_than)}).number(0, 0);
}

} // namespace vedfolnir
