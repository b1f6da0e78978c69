//! The canonical routes, one file per kind of thing; bodies stand beside their handlers.

pub mod audit;
pub mod carts;
pub mod credit;
mod description;
pub mod endpoints;
mod entries;
pub mod events;
pub mod faults;
pub mod fraud;
pub mod health;
pub mod jobs;
pub mod metrics;
pub mod notifications;
pub mod orders;
pub mod partners;
pub mod products;
pub mod promos;
pub mod returns;
mod toggles;
mod tokens;
pub mod webhooks;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use self::description::Description;
use self::partners::catalog::FeedPlaces;
use crate::access::Scope;
use crate::call::Call;
use crate::compat;
use crate::media::{self, MediaRoom};
use crate::outside::Outside;
use crate::problem::{Code, Problem};
use crate::shop::Shop;

/// What handlers share.
#[derive(Debug)]
pub struct Edge {
    /// The engine.
    pub shop: Shop,
    /// Where pictures are drawn and kept.
    pub media: MediaRoom,
    /// What is known about the process: readiness, figures, secrets of callers.
    pub outside: Outside,
    /// The feeds that are under way.
    pub feeds: FeedPlaces,
}

/// What handlers get.
pub type Shared = Arc<Edge>;

/// All of it but drills, which not every server has.
fn described() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(products::list, products::create))
        .routes(routes!(products::read, products::change, products::archive))
        .routes(routes!(products::terms::put))
        .routes(routes!(products::stock::adjust))
        .routes(routes!(products::stock::holds))
        .routes(routes!(products::media::add))
        .routes(routes!(products::media::remove))
        .routes(routes!(products::media::read))
        .routes(routes!(carts::open))
        .routes(routes!(carts::read))
        .routes(routes!(carts::quote::quote))
        .routes(routes!(carts::promo::put))
        .routes(routes!(carts::merge::merge))
        .routes(routes!(carts::put_line, carts::remove_line))
        .routes(routes!(carts::checkout::checkout))
        .routes(routes!(orders::list::list, orders::place::place))
        .routes(routes!(orders::read, orders::life::delete))
        .routes(routes!(orders::life::set_status))
        .routes(routes!(orders::life::cancel))
        .routes(routes!(orders::life::confirm))
        .routes(routes!(orders::history))
        .routes(routes!(fraud::decide))
        .routes(routes!(fraud::reviews))
        .routes(routes!(fraud::read, fraud::trust, fraud::distrust))
        .routes(routes!(tokens::create))
        .routes(routes!(returns::list, returns::open))
        .routes(routes!(returns::read))
        .routes(routes!(returns::photos::add))
        .routes(routes!(returns::photos::read))
        .routes(routes!(returns::steps::authorize))
        .routes(routes!(returns::steps::cancel))
        .routes(routes!(returns::steps::ship))
        .routes(routes!(returns::steps::receive))
        .routes(routes!(returns::steps::inspect))
        .routes(routes!(returns::steps::refund))
        .routes(routes!(orders::receipt::receipt))
        .routes(routes!(orders::payment::pay))
        .routes(routes!(orders::payment::hand_back))
        .routes(routes!(credit::read, credit::change))
        .routes(routes!(audit::audit))
        .routes(routes!(audit::movements))
        .routes(routes!(promos::list, promos::create))
        .routes(routes!(promos::read, promos::end))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::process_pending))
        .routes(routes!(webhooks::charge))
        .routes(routes!(notifications::list))
        .routes(routes!(events::list))
        .routes(routes!(events::follow))
        .routes(routes!(endpoints::list, endpoints::create))
        .routes(routes!(endpoints::read, endpoints::delete))
        .routes(routes!(endpoints::set_status))
        .routes(routes!(endpoints::rotate))
        .routes(routes!(endpoints::replay))
        .routes(routes!(endpoints::deliveries))
        .routes(routes!(partners::list, partners::register))
        .routes(routes!(partners::read))
        .routes(routes!(partners::issue_key))
        .routes(routes!(partners::revoke_key))
        .routes(routes!(partners::catalog::feed))
        .routes(routes!(partners::imports::list))
        .routes(routes!(partners::imports::read))
        .routes(routes!(toggles::list))
        .routes(routes!(toggles::switch))
        .routes(routes!(health::health))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::prometheus))
        .routes(routes!(metrics::figures))
}

/// The whole interface as OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    description_of(described().merge(faults::described()))
}

fn description_of(described: OpenApiRouter<Shared>) -> utoipa::openapi::OpenApi {
    let mut openapi = described.into_openapi();
    description::complete(&mut openapi);
    openapi
}

/// All routes.
pub fn router(edge: Shared) -> Router {
    let has_drills = edge.outside.drills.is_some();
    let offered = || if has_drills { described().merge(faults::described()) } else { described() };
    let (router, _) = offered().split_for_parts();
    router
        .merge(compat::router())
        .merge(documents(description_of(offered())))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(edge)
}

/// The description and the page that shows it.
fn documents(openapi: utoipa::openapi::OpenApi) -> Router<Shared> {
    let page: Router<Shared> = SwaggerUi::new("/docs").url("/openapi.json", openapi).into();
    // The page says so in plain words when it has no such file.
    page.layer(axum::middleware::map_response(async |answer: Response| {
        if answer.status() == StatusCode::NOT_FOUND {
            return not_found().await.into_response();
        }
        answer
    }))
}

async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this path")
}

async fn method_not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed, "there is something at this path, but not for this method")
}

/// Paths that answer without a key; everything else is closed unless it is listed here.
pub fn is_open(path: &str) -> bool {
    matches!(path, "/health" | "/health/live" | "/health/ready" | "/metrics" | "/openapi.json")
        || path == "/docs"
        || path.starts_with("/docs/")
        || path.starts_with("/media/")
        || path.starts_with("/v1/payments/webhooks/")
}

/// The operations whose handlers take a body.
static WITH_BODY: LazyLock<Vec<(Method, String)>> = LazyLock::new(|| {
    let canonical = description::with_body(&openapi());
    let older = compat::WITH_BODY.map(|(method, path)| (method, path.to_owned()));
    canonical.into_iter().chain(older).collect()
});

/// Whether a handler takes a body there. Asked only when one is slow to arrive.
pub(crate) fn takes_body(method: &Method, path: &str) -> bool {
    WITH_BODY.iter().any(|(known, template)| known == method && fits(path, template))
}

/// Operations whose bodies are pictures.
const WITH_PICTURE: &[(Method, &str)] =
    &[(Method::POST, "/v1/products/{id}/media"), (Method::POST, "/v1/returns/{id}/photos")];

/// Largest body of a picture, where one is taken.
pub(crate) fn picture_limit(method: &Method, path: &str) -> Option<usize> {
    let takes_one = |(known, template): &(Method, &str)| known == method && fits(path, template);
    WITH_PICTURE.iter().any(takes_one).then_some(media::BYTES_MAX)
}

/// Whether a path has the form of a template.
fn fits(path: &str, template: &str) -> bool {
    let mut parts = path.split('/');
    let fits = |part: &str| {
        parts.next().is_some_and(|given| {
            if part.starts_with('{') { !given.is_empty() } else { part == given }
        })
    };
    template.split('/').all(fits) && parts.next().is_none()
}

/// Checks the scope of an operator's page.
fn admin(call: &Call) -> Result<(), Problem> {
    call.allowed(Scope::Admin).map(|_| ())
}
