<%@ page session="true" %><%
  // As old applications do on a first visit: a session, then a redirect that carries its id, cookies being unproven.
  response.sendRedirect(response.encodeRedirectURL("menu"));
%>
