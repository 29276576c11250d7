//! The AWS endpoint: which service and operation a request means, and the answer in that service's wire format.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use serde_json::{Map, Value};

use super::body::{Body, Served, typed};
use crate::aws::xml::{self, Lists};
use crate::aws::{ApiError, Call, Operation, Params, Service};
use crate::eks::routes;
use crate::faults::Seen;
use crate::iam;
use crate::iam::signature::{Parts, Signed};
use crate::sandbox::Sandbox;

/// Serves one request.
pub(crate) async fn serve(sandbox: Sandbox, request: Request<Bytes>) -> Served {
    let request_id = request_id();
    let parts = parts(&request);
    let signed = Signed::read(&parts).ok();
    let Some(service) = service(signed.as_ref(), &request) else {
        return Ok(typed(
            400,
            "text/plain",
            "the sandbox has ec2, eks, iam and sts; this request is signed for none of them\n",
        ));
    };
    let answer = match read(service, &request) {
        Ok((operation, params)) => {
            let region = signed.map(|signed| signed.region).unwrap_or_default();
            let run = sandbox.with(|world| {
                let caller = iam::verify::caller(world, service, operation.name, &parts)?;
                let id = request_id.clone();
                let call = Call { service, operation: operation.name, params, caller, region, request_id: id };
                iam::enforce::check(world, &call)?;
                iam::note_use(world, &call);
                operation.answer(world, &call)
            });
            run.await.map(|value| (operation.name, value))
        }
        Err(error) => Err(error),
    };
    Ok(render(service, answer, &request_id))
}

/// The request as signatures see it.
fn parts(request: &Request<Bytes>) -> Parts {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<(String, String)> =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key("host")
    {
        headers.push(("host".to_owned(), authority.as_str().to_owned()));
    }
    Parts {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers,
        body: request.body().clone(),
    }
}

/// The service that a request is for: that of its signature; that of the API's version when it has none, as for web identities.
fn service(signed: Option<&Signed>, request: &Request<Bytes>) -> Option<Service> {
    if let Some(signed) = signed {
        return Service::named(&signed.service);
    }
    let sent = [request.uri().query().unwrap_or("").as_bytes(), request.body()].map(pairs).concat();
    let version = sent.iter().find(|(name, _)| name == "Version").map(|(_, version)| version.as_str());
    match version {
        Some("2016-11-15") => Some(Service::Ec2),
        Some("2010-05-08") => Some(Service::Iam),
        Some("2011-06-15") => Some(Service::Sts),
        Some(_) => None,
        None => routes::find(request.method().as_str(), request.uri().path()).map(|_| Service::Eks),
    }
}

/// The operation and its parameters.
fn read(service: Service, request: &Request<Bytes>) -> Result<(&'static Operation, Params), ApiError> {
    if service == Service::Eks {
        return read_rest(request);
    }
    let mut sent = pairs(request.uri().query().unwrap_or("").as_bytes());
    if request.method() == "POST" {
        sent.extend(pairs(request.body()));
    }
    let action = sent.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone()).unwrap_or_default();
    sent.retain(|(name, _)| name != "Action" && name != "Version" && !name.starts_with("X-Amz-"));
    let operation = service.operation(&action).ok_or_else(|| {
        ApiError::new("InvalidAction", format!("The action {action} is not valid for this endpoint."))
    })?;
    Ok((operation, Params::from_query(service, sent)))
}

fn read_rest(request: &Request<Bytes>) -> Result<(&'static Operation, Params), ApiError> {
    let unknown = || ApiError::new("UnknownOperationException", "unknown operation").with_status(404);
    let path = request.uri().path();
    let route = routes::find(request.method().as_str(), path).ok_or_else(unknown)?;
    let operation = Service::Eks.operation(route.operation).ok_or_else(unknown)?;
    let mut members = match serde_json::from_slice(request.body()) {
        Ok(Value::Object(members)) => members,
        _ if request.body().is_empty() => Map::new(),
        _ => return Err(ApiError::new("SerializationException", "the body is not a JSON object")),
    };
    for (name, value) in pairs(request.uri().query().unwrap_or("").as_bytes()) {
        let value = Value::String(value);
        match members.get_mut(&name) {
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
            None => drop(members.insert(name, value)),
        }
    }
    members.extend(route.members);
    Ok((operation, Params::from_json(Service::Eks, Value::Object(members))))
}

/// Decoded pairs of a form or a query.
pub(super) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let text = String::from_utf8_lossy(text);
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// What a call is, for faults and the list of calls. A service or operation that is unknown is told as it was sent.
pub(super) fn seen(request: &Request<Bytes>) -> Seen {
    let signed = Signed::read(&parts(request)).ok();
    let unnamed = || signed.as_ref().map_or_else(|| "-".to_owned(), |signed| signed.service.clone());
    let service = service(signed.as_ref(), request).map_or_else(unnamed, |service| service.name().to_owned());
    let query = request.uri().query().unwrap_or("");
    let body = String::from_utf8_lossy(request.body());
    let (method, path) = (request.method(), request.uri().path());
    let named = || {
        let sent = pairs(query.as_bytes()).into_iter().chain(pairs(request.body()));
        sent.into_iter().find(|(name, _)| name == "Action").map(|(_, value)| value)
    };
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = match (Service::named(&service), target) {
        (_, Some(target)) => target.rsplit('.').next().map(str::to_owned),
        (Some(Service::Eks), None) => routes::find(method.as_str(), path).map(|route| route.operation.to_owned()),
        _ => named(),
    };
    let operation = operation.unwrap_or_else(|| format!("{method} {path}"));
    let reads = ["Describe", "List", "Get"].iter().any(|verb| operation.starts_with(verb));
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let sent = format!("{}?{}\n{}", decode(path), decode(query), decode(&body));
    Seen { service, operation, cluster: None, sent, reads }
}

/// A refusal in the service's wire format.
pub(super) fn refusal(service: Service, error: ApiError) -> Response<Body> {
    render(service, Err(error), &request_id())
}

fn request_id() -> String {
    crate::ids::Ids::new(None).uuid()
}

/// An answer in the service's wire format.
fn render(service: Service, answer: Result<(&'static str, Value), ApiError>, id: &str) -> Response<Body> {
    let mut response = match (service, answer) {
        (Service::Eks, Ok((_, value))) => super::body::json(200, &value),
        (Service::Eks, Err(error)) => rest_error(error),
        (Service::Ec2, Ok((name, value))) => xml_answer(200, &ec2_answer(name, &value, id)),
        (Service::Ec2, Err(error)) => xml_answer(error.status, &ec2_error(&error, id)),
        (_, Ok((name, value))) => xml_answer(200, &query_answer(service, name, &value, id)),
        (_, Err(error)) => xml_answer(error.status, &query_error(service, &error, id)),
    };
    set_request_id(response.headers_mut(), id);
    response
}

fn set_request_id(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-amzn-requestid", id);
    }
}

fn xml_answer(status: u16, text: &str) -> Response<Body> {
    typed(status, "text/xml;charset=UTF-8", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}"))
}

fn ec2_answer(name: &str, value: &Value, id: &str) -> String {
    let mut out =
        format!("<{name}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{id}</requestId>");
    xml::members(&mut out, value, Lists::Item);
    out + &format!("</{name}Response>")
}

fn ec2_error(error: &ApiError, id: &str) -> String {
    let mut out = String::from("<Response><Errors><Error>");
    xml::element(&mut out, "Code", &Value::from(error.code.as_str()), Lists::Item);
    xml::element(&mut out, "Message", &Value::from(error.message.as_str()), Lists::Item);
    out + &format!("</Error></Errors><RequestID>{id}</RequestID></Response>")
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "https://iam.amazonaws.com/doc/2010-05-08/",
    }
}

fn query_answer(service: Service, name: &str, value: &Value, id: &str) -> String {
    let mut out = format!("<{name}Response xmlns=\"{}\">", namespace(service));
    if !value.is_null() {
        xml::element(&mut out, &format!("{name}Result"), value, Lists::Member);
    }
    out + &format!("<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{name}Response>")
}

fn query_error(service: Service, error: &ApiError, id: &str) -> String {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let mut out = format!("<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type>", namespace(service));
    xml::element(&mut out, "Code", &Value::from(error.code.as_str()), Lists::Member);
    xml::element(&mut out, "Message", &Value::from(error.message.as_str()), Lists::Member);
    out + &format!("</Error><RequestId>{id}</RequestId></ErrorResponse>")
}

fn rest_error(error: ApiError) -> Response<Body> {
    let mut members = error.members;
    members.insert("message".to_owned(), Value::String(error.message));
    let mut response = super::body::json(error.status, &Value::Object(members));
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}
