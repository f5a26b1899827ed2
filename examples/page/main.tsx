// A page in JSX: components, a list, a form that comes back, values that are always escaped, and a style sheet.
// Open /page.
import { Layout } from "./layout";

interface Guest {
  name: string;
  from: string;
}

const guests: Guest[] = [
  { name: "Ada", from: "London" },
  { name: "Grace", from: "New York" },
  { name: "Alan <the first>", from: "Maida Vale" },
];

const GuestRow = ({ guest }: { guest: Guest }) => (
  <li>
    <b>{guest.name}</b> from {guest.from}
  </li>
);

registerWebHandler("/page", (req) => {
  const wanted = (req.query.find ?? "").toLowerCase();
  const found = guests.filter((guest) => guest.name.toLowerCase().includes(wanted));
  return (
    <Layout title="Guests">
      <form>
        <label>
          Find <input name="find" value={req.query.find ?? ""} autofocus />
        </label>
      </form>
      {found.length > 0 ? (
        <ul className="guests">
          {found.map((guest) => (
            <GuestRow guest={guest} />
          ))}
        </ul>
      ) : (
        <p>Nobody is called “{req.query.find}”.</p>
      )}
    </Layout>
  );
});
