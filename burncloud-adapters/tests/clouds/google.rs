//! Google's token service, and a service account made for one test run.

use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const EMAIL: &str = "caller@project-1.iam.gserviceaccount.com";

/// A private key in PEM, and its public half. `None` where there is no `openssl` to make it.
pub(crate) fn keys() -> Option<&'static (String, Vec<u8>)> {
    static KEYS: OnceLock<Option<(String, Vec<u8>)>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let arguments = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        let made =
            Command::new("openssl").args(arguments).output().ok().filter(|out| out.status.success())?;
        let pem = String::from_utf8(made.stdout).unwrap();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        Some((pem, pair.public_key().as_ref().to_vec()))
    });
    let demanded = std::env::var_os("BURNCLOUD_REQUIRE_SERVICES").is_some();
    assert!(keys.is_some() || !demanded, "no `openssl` to make a key with");
    keys.as_ref()
}

/// A service account's key file.
pub(crate) fn key_file(pem: &str, token_uri: &str) -> String {
    json!({
        "type": "service_account",
        "project_id": "project-1",
        "private_key_id": "kid-1",
        "private_key": pem,
        "client_email": EMAIL,
        "client_id": "1",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
    })
    .to_string()
}

/// Who a statement is from, or why it is not believed.
fn verify(assertion: &str, audience: &str, public: &[u8]) -> Result<(), &'static str> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or("no JWT")?;
    let (head, claims) = signed.split_once('.').ok_or("no JWT")?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "no base64url");
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| "Invalid JWT Signature.")?;
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| "no JSON");
    let (head, claims) = (json(head)?, json(claims)?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (issued, ends) = (claims["iat"].as_u64().unwrap_or(0), claims["exp"].as_u64().unwrap_or(0));
    if (head["alg"].as_str(), head["kid"].as_str()) != (Some("RS256"), Some("kid-1")) {
        Err("head")
    } else if (claims["iss"].as_str(), claims["aud"].as_str()) != (Some(EMAIL), Some(audience)) {
        Err("iss or aud")
    } else if claims["scope"] != "https://www.googleapis.com/auth/cloud-platform" {
        Err("scope")
    } else if issued > now + 10 || issued + 300 < now || ends <= now || ends > issued + 3600 {
        Err("iat or exp")
    } else {
        Ok(())
    }
}

/// Google's token service, unless it is down.
pub(crate) async fn login(tokens: &Tokens, life: Duration, down: &Arc<AtomicBool>) -> Service {
    let (tokens, down) = (tokens.clone(), down.clone());
    Service::start(move |asked| {
        if down.load(SeqCst) {
            return (503, "text/plain", "no service today".into());
        }
        let field = |name| asked.field(name).unwrap_or_default();
        assert_eq!(field("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let audience = format!("http://{}{}", asked.header("host").unwrap(), asked.path);
        let public = keys().map(|keys| keys.1.as_slice()).unwrap_or_default();
        match verify(&field("assertion"), &audience, public) {
            Ok(()) => tokens.issue("ya29.", life),
            Err(why) => (400, JSON, json!({"error": "invalid_grant", "error_description": why}).to_string()),
        }
    })
    .await
}
