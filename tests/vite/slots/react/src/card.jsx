export const Card = ({ children }) => <section className="card">{children}</section>;
