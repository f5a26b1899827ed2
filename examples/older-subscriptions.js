// Subscriptions in the older style: handlers by name, results and messages as JSON strings.
// Scripts like this one work unchanged.  Open /older-subscriptions, or /graphql/subscription/liveMessages.

function init() {
  register("/older-subscriptions", "page", "GET");
  registerGraphQLQuery("messageCount", "type Query { messageCount: Int }", "countMessages");
  registerGraphQLMutation(
    "sendMessage",
    "type Mutation { sendMessage(text: String!): Message } type Message { number: Int! text: String! }",
    "sendMessage",
  );
  registerGraphQLSubscription("liveMessages", "type Subscription { liveMessages: String }", "liveMessages");
}

function countMessages() {
  return Number(sharedStorage.getItem("messages") || 0);
}

function sendMessage(args) {
  const number = countMessages() + 1;
  sharedStorage.setItem("messages", String(number));
  sendSubscriptionMessage("liveMessages", JSON.stringify({ number, text: args.text }));
  return JSON.stringify({ number, text: args.text });
}

function liveMessages() {
  return JSON.stringify({ number: countMessages(), text: "listening" });
}

function page() {
  return {
    status: 200,
    contentType: "text/html",
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Older subscriptions</title>
<form><input name="text" aria-label="A message" autofocus> <button>Send</button></form>
<ul></ul>
<script>
  const list = document.querySelector("ul");
  new EventSource("/graphql/subscription/liveMessages").onmessage = (event) => {
    const { number, text } = JSON.parse(event.data);
    const item = document.createElement("li");
    item.textContent = number + ": " + text;
    list.append(item);
  };
  document.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = "mutation($text: String!) { sendMessage(text: $text) { number } }";
    const variables = { text: event.target.text.value };
    await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    event.target.reset();
  });
</script>
</html>`,
  };
}
