//! How tests see that a query finds its rows through an index.

use sqlx::AssertSqlSafe;

#[cfg(feature = "postgres")]
#[path = "../../tests/support/database.rs"]
mod test_database;

/// Whether a statement may walk along an index from its end: a list that stops at its limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Found,
    InOrder,
}

/// Asserts that SQLite reads no table from end to end.
#[cfg(feature = "sqlite")]
pub(crate) async fn assert_sqlite_uses_an_index(
    pool: &sqlx::sqlite::SqlitePool,
    statements: &[(&str, Access)],
) {
    for (statement, access) in statements {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).fetch_all(pool).await.unwrap();
        let steps: Vec<String> = steps.into_iter().map(|(.., step)| step).collect();
        assert!(!steps.is_empty());
        for step in &steps {
            // What is wanted comes as an array, which is read from end to end, as is what was found.
            let array = step.contains("VIRTUAL TABLE") || step == "SCAN found";
            // A table without rowids is its own index; what is not in order is sorted, see below.
            let in_order = *access == Access::InOrder && statement.contains("ORDER BY");
            let found = !step.contains("SCAN") || array || in_order;
            assert!(found, "{statement}\n{steps:#?}");
            assert!(!step.contains("TEMP B-TREE FOR ORDER BY"), "{statement}\n{steps:#?}");
        }
    }
}

/// Asserts that PostgreSQL need read no table from end to end, however large it grows.
#[cfg(feature = "postgres")]
pub(crate) async fn assert_postgres_uses_an_index(statements: &[(&str, Access)]) {
    use sqlx::{Connection as _, Executor as _};

    use super::postgres::{connect, options, prepare};

    let database = test_database::TestDatabase::create().await;
    let options = options(&database.url()).unwrap();
    prepare(&options).await.unwrap().close().await;
    let mut server = connect(&options).await.unwrap();
    // In empty tables a scan would always be cheapest.
    server.execute("SET enable_seqscan = off").await.unwrap();
    server.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    for (number, (statement, access)) in statements.iter().enumerate() {
        let prepare = format!("PREPARE statement_{number} AS {statement}");
        server.execute(AssertSqlSafe(prepare)).await.unwrap();
        let arguments = (1..).take_while(|n| statement.contains(&format!("${n}")));
        let arguments: Vec<&str> = arguments.map(|_| "NULL").collect();
        let explain = format!("EXPLAIN EXECUTE statement_{number} ({})", arguments.join(", "));
        let plan: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut server).await.unwrap();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan on"), "{statement}\n{plan}");
        let found = plan.contains("Index Cond");
        match access {
            Access::Found => assert!(found, "{statement}\n{plan}"),
            Access::InOrder => assert!(plan.contains("Index Scan"), "{statement}\n{plan}"),
        }
        if statement.contains("ORDER BY") {
            assert!(!plan.contains("Sort"), "{statement}\n{plan}");
        }
    }
    server.close().await.unwrap();
    database.drop().await;
}
