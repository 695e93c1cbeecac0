<%@ Page Language="C#" ContentType="text/plain" EnableViewState="false" EnableSessionState="false" ValidateRequest="false" %>
<script runat="server">
  static string Hex(string text) {
    return BitConverter.ToString(System.Text.Encoding.UTF8.GetBytes(text)).Replace("-", "");
  }

  // `keys`: the hash, both keys, and what time it is, in seconds since 1970.
  static string Ticket(string cookie, string[] keys) {
    DateTime now = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(Double.Parse(keys[3]));
    try {
      EcluseFormsTicket ticket = EcluseFormsTicket.Read(cookie, keys[0], keys[1], keys[2], now);
      return Hex(ticket.Name) + " " + Hex(ticket.UserData) + " " + ticket.Path;
    } catch (System.Security.Cryptography.CryptographicException why) {
      return "refused: " + why.Message;
    }
  }
</script><%
  Response.Write("name " + Hex(User.Identity.Name) + "\n");
  Response.Write("signed_in " + User.Identity.IsAuthenticated + "\n");
  Response.Write("roles " + User.IsInRole("agents") + " " + User.IsInRole("root") + "\n");
  HttpCookie cookie = Request.Cookies[".ASPXAUTH"];
  if (cookie != null) {
    Response.Write("ticket " + Ticket(cookie.Value, Request.Headers["Ticket-Keys"].Split(' ')) + "\n");
  }
%>
