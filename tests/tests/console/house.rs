//! A house to look at: a gateway with its console, a provider behind it, and an owner.

use crate::client::Client;
use burncloud_tests::config::Config;
use burncloud_tests::eventually;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::Upstream;
use serde_json::{Value, json};

/// What the owner signs in by.
pub(crate) const OWNER: &str = "mina@harbour.example";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// A chat model, and a price of it that is easily counted: nano-dollars a token.
pub(crate) const MODEL: &str = "gpt-4o-mini";

/// A gateway, what it sells, and its owner.
pub(crate) struct House {
    pub(crate) gateway: Gateway,
    pub(crate) upstream: Upstream,
    pub(crate) owner: Client,
}

/// The one-time password that a server printed at its last start.
pub(crate) async fn one_time_password(gateway: &Gateway) -> String {
    let printed = || {
        let log = gateway.log();
        let (_, after) = log.rsplit_once("The console has no owner yet.")?;
        let (code, _) = after.split_once("/console/setup")?;
        code.lines().map(str::trim).find(|line| line.len() == 20 && !line.contains(' ')).map(str::to_owned)
    };
    eventually("the one-time password is printed", || async { printed().is_some() }).await;
    printed().unwrap()
}

impl House {
    /// A new gateway, whose first owner came in by the forms.
    pub(crate) async fn start() -> Self {
        let upstream = Upstream::start().await;
        Self::over(upstream, Gateway::start(Config::new()).await).await
    }

    /// The same over a gateway that nobody owns yet.
    pub(crate) async fn over(upstream: Upstream, gateway: Gateway) -> Self {
        let code = one_time_password(&gateway).await;
        let mut owner = Client::new(gateway.addr());
        let answer = owner.fill("/setup", "/setup", &[("code", &code)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let fields = [("display", "Mina"), ("login", OWNER), ("password", PASSWORD)];
        let answer = owner.fill("/setup/owner", "/setup/owner", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        owner.settle().await;
        Self { gateway, upstream, owner }
    }

    /// Adds an account at the provider.
    pub(crate) async fn add_channel(&mut self, name: &str, models: &[&str]) -> Value {
        let body = json!({
            "name": name, "provider": "openai", "base_url": self.upstream.url(),
            "credential": "sk-upstream-credential-0123456789", "models": models,
        });
        self.owner.write("POST", "/channels", body).await
    }

    /// Lets the owner's own keys call without money in the wallet.
    pub(crate) async fn unbind_owner(&mut self) {
        let me = self.owner.read("/me").await["user"].clone();
        self.owner.write("PATCH", &format!("/users/{me}"), json!({"unlimited": true})).await;
    }

    /// Waits until the gateway serves [`MODEL`] to this key: what is changed in the console holds within a moment.
    pub(crate) async fn serves(&self, secret: &str) {
        eventually("the gateway knows of the account and the key", || async {
            let answer = Request::get("/v1/models").bearer(secret).send(self.gateway.addr()).await;
            answer.status == 200 && answer.text().contains(MODEL)
        })
        .await;
    }

    /// A user of `tenant` with a role, who signs in by `name` and [`PASSWORD`].
    pub(crate) async fn user(&mut self, name: &str, tenant: i64, role: &str) -> (i64, Client) {
        let invitation = json!({"tenant": tenant, "role": role, "note": format!("for {name}")});
        let made = self.owner.write("POST", "/invitations", invitation).await;
        let code = made["code"].as_str().unwrap().to_owned();
        let mut client = Client::new(self.gateway.addr());
        let form = format!("/join?code={code}");
        let fields = [("code", code.as_str()), ("display", name), ("login", name), ("password", PASSWORD)];
        let answer = client.fill(&form, "/join", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        client.settle().await;
        let me = client.read("/me").await;
        (me["user"].as_i64().unwrap(), client)
    }
}
